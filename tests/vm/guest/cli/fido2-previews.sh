#!/bin/sh
# Accounts are counted, listed and deleted through libfido2, which at this version knows the preview command 0x41 alone: the
# key of the profile `previews` offers it.
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start --approve auto --profile previews
grep -q 'warning: profile previews' softkey.log || fail "the profile is not announced"
set_pin 123456
PIN=123456
export SOFTKEY_PIN=123456
fido2-token -I "$NODE" > info
grep -q 'FIDO_2_1_PRE' info || fail "the preview is not announced: $(cat info)"
grep -q '[ ,]credentialMgmtPreview' info || fail "the preview is not announced: $(cat info)"

register first es256 -r -v
register second es256 -r -v
with_pin fido2-token -I -c "$NODE" | grep -q 'existing rk(s): 2' || fail "not two credentials are counted"
with_pin fido2-token -L -r "$NODE" > parties
grep -q 'rp.example' parties || fail "the relying party is not listed: $(cat parties)"
with_pin fido2-token -L -k rp.example "$NODE" > listed
[ "$(grep -c es256 listed)" -eq 2 ] || fail "not both credentials: $(cat listed)"
id=$(awk '/es256/ { print $2; exit }' listed)
with_pin fido2-token -D -i "$id" "$NODE"
with_pin fido2-token -L -k rp.example "$NODE" > left
[ "$(grep -c es256 left)" -eq 1 ] || fail "the credential was not deleted: $(cat left)"
softkey credentials list --json "$NODE" > ours
[ "$(wc -l < ours)" -eq 1 ] || fail "softkey sees another number: $(cat ours)"

#!/bin/sh
# A finger is enrolled, listed, named and deleted through libfido2, by the command's preview, which is the one that this
# libfido2 knows; softkey itself sees the same by the command proper.
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start --approve auto --uv fingerprint
set_pin 123456
PIN=123456
export SOFTKEY_PIN=123456
fido2-token -I "$NODE" > info
grep -q 'noUserVerificationMgmtPreview\|nouserVerificationMgmtPreview' info || fail "the preview is not announced: $(cat info)"

with_pin fido2-token -S -e "$NODE"
with_pin fido2-token -L -e "$NODE" > listed
[ "$(wc -l < listed)" -eq 1 ] || fail "not one finger: $(cat listed)"
template=$(awk '{ print $2; exit }' listed)
fido2-token -I "$NODE" | grep -q '[ ,]userVerificationMgmtPreview' || fail "the key does not say that it knows a finger"

with_pin fido2-token -S -e -i "$template" -n thumb "$NODE"
with_pin fido2-token -L -e "$NODE" | grep -q thumb || fail "the finger has no name"
softkey fingers list "$NODE" > ours
grep -q '"thumb"' ours || fail "softkey sees another finger: $(cat ours)"

# The sensor refuses the same finger twice, and another one than the enrolled finger verifies nobody.
refused timeout 30 softkey fingers add "$NODE"
# Where the finger verifies, nobody is asked for the PIN.
(
    with_pin() { "$@"; }
    register verified es256 -v
)
softkey control "$CONTROL" finger 2
softkey fingers add "$NODE" --name index
with_pin fido2-token -D -e -i "$template" "$NODE"
with_pin fido2-token -L -e "$NODE" | grep -q index || fail "the wrong finger was deleted"
refused softkey fingers remove thumb "$NODE"
softkey fingers remove index "$NODE"
softkey fingers list --json "$NODE" > none
[ ! -s none ] || fail "a finger is left: $(cat none)"

#!/bin/sh
# An owner manages the key: large blobs and settings through libfido2, accounts through softkey itself over hidraw.
# (For accounts this libfido2 knows only the preview command 0x41, which the key does not offer by default.)
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start
set_pin 123456
PIN=123456
register first es256 -r -v
# A credential with a key for large blobs, which stands in the result's last line; the tool's own verification does not
# know that line.
{ client_data; echo rp.example; echo "user of second"; printf second | base64; } > second.request
with_pin fido2-cred -M -b -r -v -i second.request -o second.credential "$NODE" es256
tail -n 1 second.credential > blob.key

head -c 3000 /dev/urandom > blob
with_pin fido2-token -S -b -k blob.key blob "$NODE"
fido2-token -G -b -k blob.key blob.back "$NODE"
cmp blob blob.back
head -c 5000 /dev/urandom > too-large
refused with_pin fido2-token -S -b -k blob.key too-large "$NODE"
rm blob.back
fido2-token -G -b -k blob.key blob.back "$NODE"
cmp blob blob.back

export SOFTKEY_PIN=123456
softkey credentials list --json "$NODE" > accounts
[ "$(wc -l < accounts)" -eq 2 ] || fail "not both accounts: $(cat accounts)"
id_of() {
    grep -F "\"name\":\"user of $1\"" accounts | sed 's/.*"id":"\([^"]*\)".*/\1/'
}
softkey blobs get "$(id_of second)" "$NODE" --out blob.ours
cmp blob blob.ours
softkey credentials rename "$(id_of first)" "$NODE" --name renamed > renamed
grep -q '"renamed"' renamed || fail "not renamed: $(cat renamed)"
softkey credentials delete "$(id_of first)" "$NODE"
refused ask_assertion first -v
with_pin fido2-token -D -b -k blob.key "$NODE"
refused fido2-token -G -b -k blob.key gone "$NODE"

with_pin fido2-token -S -u "$NODE"
fido2-token -I "$NODE" | grep -q '[ ,]alwaysUv' || fail "always-uv is not on"
with_pin fido2-token -D -u "$NODE"
fido2-token -I "$NODE" | grep -q 'noalwaysUv' || fail "always-uv is not off"
with_pin fido2-token -S -l 6 "$NODE"
fido2-token -I "$NODE" | grep -q 'minpinlen: 6' || fail "the minimum is not 6"
with_pin fido2-token -S -f "$NODE"
fido2-token -I "$NODE" | grep -q 'change required: true' || fail "the PIN need not be changed"
refused softkey credentials list "$NODE"

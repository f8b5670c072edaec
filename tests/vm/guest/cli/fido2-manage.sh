#!/bin/sh
# An owner manages the key through libfido2: accounts listed, renamed and deleted, large blobs, settings.
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start
set_pin 123456
PIN=123456
register first es256 -r -v
# A credential with a key for large blobs; the tool's own verification does not know that line of the result.
{ client_data; echo rp.example; echo "user of second"; printf second | base64; } > second.request
with_pin fido2-cred -M -b -r -v -i second.request -o second.credential "$NODE" es256

listed() {
    with_pin fido2-token -L -k rp.example "$NODE" > accounts
}
with_pin fido2-token -L -r "$NODE" > parties
grep -q 'rp\.example' parties || fail "the relying party is not listed: $(cat parties)"
listed
[ "$(wc -l < accounts)" -eq 2 ] || fail "not both accounts: $(cat accounts)"
first=$(cat first.id)
second=$(grep -vF "$first" accounts | cut -d ' ' -f 2)
with_pin fido2-token -I -c "$NODE" > room
grep -q 'existing rk(s): 2' room || fail "not two credentials: $(cat room)"

with_pin fido2-token -S -c -i "$first" -k "$(printf first | base64)" -n renamed -p 'Somebody Else' "$NODE"
listed
grep -F "$first" accounts | grep -q 'Somebody Else' || fail "not renamed: $(cat accounts)"

head -c 3000 /dev/urandom > blob
with_pin fido2-token -S -b -n rp.example -i "$second" blob "$NODE"
with_pin fido2-token -G -b -n rp.example -i "$second" blob.back "$NODE"
cmp blob blob.back
head -c 5000 /dev/urandom > too-large
refused with_pin fido2-token -S -b -n rp.example -i "$second" too-large "$NODE"
rm blob.back
with_pin fido2-token -G -b -n rp.example -i "$second" blob.back "$NODE"
cmp blob blob.back
with_pin fido2-token -D -b -n rp.example -i "$second" "$NODE"
refused with_pin fido2-token -G -b -n rp.example -i "$second" gone "$NODE"

with_pin fido2-token -D -i "$first" "$NODE"
listed
if grep -qF "$first" accounts; then fail "not deleted: $(cat accounts)"; fi

with_pin fido2-token -S -u "$NODE"
fido2-token -I "$NODE" | grep -q '[ ,]alwaysUv' || fail "always-uv is not on"
with_pin fido2-token -D -u "$NODE"
fido2-token -I "$NODE" | grep -q 'noalwaysUv' || fail "always-uv is not off"
with_pin fido2-token -S -l 6 "$NODE"
fido2-token -I "$NODE" | grep -q 'minpinlen: 6' || fail "the minimum is not 6"
with_pin fido2-token -S -f "$NODE"
fido2-token -I "$NODE" | grep -q 'change required: true' || fail "the PIN need not be changed"
refused listed

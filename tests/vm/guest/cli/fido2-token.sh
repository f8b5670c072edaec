#!/bin/sh
# libfido2's own tool finds the key and describes it.
. /share/guest/lib.sh

key_start
fido2-token -L | tee listed
grep -q "^$NODE: vendor=0x1209, product=0x0001" listed || fail "fido2-token -L does not list the key"

fido2-token -I "$NODE" | tee info
for expected in 'proto: 0x02' 'FIDO_2_0' 'FIDO_2_1' 'hmac-secret' 'credProtect' 'es256' 'eddsa' 'noclientPin' \
    'pin protocols: 2, 1' 'pin retries: 8'
do
    grep -qi -- "$expected" info || fail "fido2-token -I does not say \"$expected\""
done

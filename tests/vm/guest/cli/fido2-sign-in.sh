#!/bin/sh
# Registration and sign-in through libfido2, with both algorithms, without a PIN and with one.
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start
for type in es256 eddsa; do
    register "plain-$type" "$type"
    sign_in "plain-$type" "$type"
done

# Without a PIN, user verification cannot be had.
refused ask_assertion plain-es256 -v

set_pin 123456
PIN=123456
for type in es256 eddsa; do
    register "pin-$type" "$type" -v
    sign_in "pin-$type" "$type" -v
done

# What was made before the PIN still signs without it, and then does not claim user verification.
PIN=
sign_in plain-es256 es256
refused fido2-assert -V -p -v -i plain-es256.assertion plain-es256.pem es256

# Another party's credential is not found, and so is one of another key.
sed -i 's/^rp.example$/evil.example/' plain-es256.request
refused fido2-assert -G -p -i plain-es256.request "$NODE"

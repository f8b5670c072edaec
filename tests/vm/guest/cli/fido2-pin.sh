#!/bin/sh
# The PIN is set, changed and checked through libfido2, and wrong ones are counted.
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start
refused answer "Enter new PIN" 123 "Enter the same PIN again" 123 -- fido2-token -S "$NODE"
set_pin 123456
fido2-token -I "$NODE" | grep -q '[ ,]clientPin' || fail "the key does not say that it has a PIN"

change() {
    answer "Enter current PIN" "$1" "Enter new PIN" "$2" "Enter the same PIN again" "$2" -- fido2-token -C "$NODE"
}
refused change 654321 111111
fido2-token -I "$NODE" | grep -q 'pin retries: 7' || fail "a wrong PIN must cost one of eight tries"
change 123456 'schlüssel'
fido2-token -I "$NODE" | grep -q 'pin retries: 8' || fail "the right PIN must give all tries back"

PIN=123456
refused register old es256 -v
PIN=schlüssel
register new es256 -v

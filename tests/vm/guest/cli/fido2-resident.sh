#!/bin/sh
# Discoverable credentials through libfido2: found without being named, newest first, with their user.
. /share/guest/lib.sh
. /share/guest/fido2.sh

key_start
set_pin 123456
PIN=123456
for type in es256 eddsa; do
    register "resident-$type" "$type" -r -v
    sign_in "resident-$type" "$type" -r -v
    # Line 5 is the user handle, which register made from the name.
    [ "$(sed -n 5p "resident-$type.assertion" | base64 -d)" = "resident-$type" ] || fail "wrong user handle"
done

# The newest one comes first, and the older one after it.
ask_assertion resident-es256 -r -v
sed -n '5p; 10p' resident-es256.assertion | while read -r user; do echo "$user" | base64 -d; echo; done > users
printf 'resident-eddsa\nresident-es256\n' | diff - users || fail "not both accounts, newest first"

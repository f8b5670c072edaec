#!/bin/sh
# The hmac-secret extension through libfido2: one secret for each salt and credential, and another with the PIN.
. /share/guest/lib.sh
. /share/guest/fido2.sh

# secret NAME SALT [OPTION]...: signs in with the salt; prints the secret, which is the last line.
secret() {
    name=$1
    echo "$2" > "$name.salt"
    shift 2
    sign_in "$name" es256 -h "$@" >&2
    tail -n 1 "$name.assertion"
}

key_start
register one es256 -h
register two es256 -h
salt=$(client_data)
first=$(secret one "$salt")
[ "$(echo "$first" | base64 -d | wc -c)" -eq 32 ] || fail "a secret has 32 bytes"
[ "$first" = "$(secret one "$salt")" ] || fail "the same salt must give the same secret"
[ "$first" != "$(secret one "$(client_data)")" ] || fail "another salt must give another secret"
[ "$first" != "$(secret two "$salt")" ] || fail "another credential must give another secret"

set_pin 123456
[ "$first" = "$(secret one "$salt")" ] || fail "a new PIN must not change the secret"
PIN=123456
verified=$(secret one "$salt" -v)
[ "$first" != "$verified" ] || fail "with user verification the secret is another one"
[ "$verified" = "$(secret one "$salt" -v)" ] || fail "the verified secret must stay the same"

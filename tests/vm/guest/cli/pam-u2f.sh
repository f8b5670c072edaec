#!/bin/sh
# pam_u2f: enrolled with pamu2fcfg, authenticated through pamtester, and refused with another key.
. /share/guest/lib.sh

# service NAME: a PAM service that asks pam_u2f alone, for the keys enrolled in NAME.keys.
service() {
    echo "auth required pam_u2f.so authfile=$PWD/$1.keys" > "/etc/pam.d/$1"
}

key_start
pamu2fcfg -u root > touch.keys
service touch
pamtester -v touch root authenticate

set_pin 123456
pamu2fcfg -u root --pin-verification > pin.keys
service pin
echo 123456 | pamtester -v pin root authenticate
echo 654321 | refused pamtester -v pin root authenticate

key_stop
key_start
refused pamtester -v touch root authenticate

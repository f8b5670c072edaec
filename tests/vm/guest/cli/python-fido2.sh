#!/bin/sh
# python-fido2 finds the key by itself and drives accounts, large blobs, settings, hmac-secret and fingers.
. /share/guest/lib.sh

key_start --approve auto --uv fingerprint
python3 /share/guest/python_fido2.py "$CONTROL"

#!/bin/sh
# Chromium registers a discoverable credential and signs in without naming it. It makes such credentials only on a key
# with a PIN (and offers to set one otherwise), so this runs on a virtual screen as chromium-pin.sh does.
. /share/guest/lib.sh

key_start
set_pin 123456
/share/guest/web/ceremonies.py chromium --resident-key --pin 123456 "$NODE"

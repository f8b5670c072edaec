#!/bin/sh
# Chromium on a virtual screen asks for the PIN in its own dialog, where it is typed, for registration and sign-in.
. /share/guest/lib.sh

key_start
set_pin 123456
/share/guest/web/ceremonies.py chromium --pin 123456 "$NODE"

#!/bin/sh
# Headless Chromium registers an ES256 credential and signs in twice.
. /share/guest/lib.sh

key_start
/share/guest/web/ceremonies.py chromium

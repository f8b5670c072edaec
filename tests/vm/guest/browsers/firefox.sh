#!/bin/sh
# Headless Firefox ESR registers a credential and signs in twice.
. /share/guest/lib.sh

key_start
/share/guest/web/ceremonies.py firefox

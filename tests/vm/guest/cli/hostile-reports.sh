#!/bin/sh
# Whatever any program writes to the node, the key lives on, answers, and takes no more memory; see hostile_reports.py.
. /share/guest/lib.sh

key_start
/share/guest/hostile_reports.py "$NODE" "$KEY_PID"
if grep panicked softkey.log; then fail "the key panicked"; fi

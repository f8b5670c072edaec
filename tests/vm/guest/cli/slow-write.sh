#!/bin/sh
# The key keeps its times on the wall clock while a write to its vault takes two seconds; see keepalive.py.
. /share/guest/lib.sh

# A disk of its own, which can be frozen.
folder=/run/slow
mkdir "$folder"
truncate --size 64M disk
mke2fs -q -t ext4 disk
modprobe loop
loop=$(losetup --find --show disk)
mount -t ext4 "$loop" "$folder"
chmod 700 "$folder"

softkey run --transport uhid --vault "$folder/vault" --approve auto --control "$CONTROL" > softkey.log 2>&1 < /dev/null &
KEY_PID=$!
key_wait
/share/guest/keepalive.py "$NODE" "$CONTROL" "$folder"

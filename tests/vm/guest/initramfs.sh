#!/bin/busybox sh
# The first file system's init: loads what the disk needs, mounts it and hands over to the guest's PID 1 (init.sh).
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for module in /modules/*.ko; do insmod "$module"; done
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 -o rw,noatime /dev/vda /disk
cp /guest-init /disk/sbin/guest-init
umount /sys /proc
mount --move /dev /disk/dev
exec switch_root /disk /bin/sh /sbin/guest-init

#!/bin/sh
# The guest's PID 1. No systemd: it mounts what the checks need, runs run.sh, writes its exit code to /share/rc and
# powers off. Whatever happens, the machine ends.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
ln -sf /proc/self/fd /dev/fd

modprobe -a 9p 9pnet_virtio virtio-rng hid-generic
mkdir -p /share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none share /share

hostname softkey-guest
echo "127.0.0.1 localhost softkey-guest" > /etc/hosts
ip link set lo up

# Run udev as a desktop does: clients learn of a key that is plugged in later only from it.
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add
udevadm settle

sh /share/guest/run.sh > /share/log 2>&1
code=$?
cd /
echo "$code" > /share/rc
sync
umount /share
echo o > /proc/sysrq-trigger
sleep 60

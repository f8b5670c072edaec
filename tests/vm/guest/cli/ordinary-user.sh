#!/bin/sh
# With the shipped files, a user in the group "softkey" runs a key, and one outside is refused and told the mend.
. /share/guest/lib.sh
. /share/guest/fido2.sh

groupadd --system softkey
useradd --create-home --groups softkey inside
useradd --create-home outside

# What a package's installation does, on a machine that has never loaded the module.
rmmod uhid
cp /share/dist/udev/70-softkey.rules /etc/udev/rules.d/
cp /share/dist/modules-load.d/softkey.conf /etc/modules-load.d/
udevadm control --reload
/lib/systemd/systemd-modules-load
udevadm settle
mode=$(stat -c '%U %G %a' /dev/uhid)
[ "$mode" = "root softkey 660" ] || fail "/dev/uhid is \"$mode\""
if udevadm info --query=property --name=/dev/uhid | grep uaccess; then fail "/dev/uhid must not carry uaccess"; fi

# Commands as one of them, with the groups that a login would give.
as="setpriv --init-groups --reset-env"
inside="$as --reuid inside --regid inside"
outside="$as --reuid outside --regid outside"

CONTROL=/home/inside/softkey.control
$inside softkey run --transport uhid --ephemeral --approve auto --control "$CONTROL" > softkey.log 2>&1 &
KEY_PID=$!
key_wait
[ "$(stat -c %U "/proc/$KEY_PID")" = inside ] || fail "the key does not run as the user"
register user es256
sign_in user es256
$inside softkey control "$CONTROL" status
refused $outside softkey control "$CONTROL" status
key_stop

refused $outside softkey run --transport uhid --ephemeral --approve auto > refusal 2>&1
cat refusal
grep -q 'Permission denied' refusal && grep -q 'softkey doctor' refusal || fail "the refusal does not say where to get help"
$outside softkey doctor > mend || :
cat mend
grep -q 'usermod.*softkey.*outside' mend || fail "doctor does not say how to get into the group"

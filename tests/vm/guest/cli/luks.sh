#!/bin/sh
# systemd-cryptenroll binds a LUKS2 volume to the key; cryptsetup and systemd-cryptsetup unlock it with the key alone.
. /share/guest/lib.sh

modprobe -a loop dm_crypt
truncate --size 32M volume
printf 'a long passphrase' > passphrase
cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume passphrase
loop=$(losetup --find --show volume)

key_start
PASSWORD='a long passphrase' systemd-cryptenroll --fido2-device=auto --fido2-with-client-pin=no "$loop"
cryptsetup luksDump "$loop" | grep -q systemd-fido2 || fail "there is no FIDO2 token in the header"

cryptsetup open --token-only "$loop" vault
client_data > secret
dd if=secret of=/dev/mapper/vault conv=notrunc,fsync 2>&1
cryptsetup close vault

/lib/systemd/systemd-cryptsetup attach vault "$loop" - fido2-device=auto,headless=true
head -c "$(stat -c %s secret)" /dev/mapper/vault | cmp - secret || fail "the unlocked volume holds something else"
cryptsetup close vault

# A PIN that the key gets later changes nothing. (An enrolment with --fido2-with-client-pin=yes is not checked: this systemd
# does not ask for the PIN when it enrols a key that makes credentials without one, and then cannot unlock; systemd
# issue 31443.)
set_pin 123456
cryptsetup open --token-only "$loop" vault
head -c "$(stat -c %s secret)" /dev/mapper/vault | cmp - secret || fail "the unlocked volume holds something else"
cryptsetup close vault

# Another key does not unlock it.
key_stop
key_start
refused cryptsetup open --token-only "$loop" vault
losetup --detach "$loop"

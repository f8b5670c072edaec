#!/bin/sh
# A login over ssh with a key on the security key, and none without the touch.
. /share/guest/lib.sh

key_start
ssh-keygen -q -t ecdsa-sk -N '' -f one
ssh-keygen -q -t ed25519-sk -N '' -f two
ssh-keygen -q -t ed25519-sk -N '' -f stranger
cat one.pub two.pub > authorized

mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f host
cat > sshd_config <<END
Port 2222
ListenAddress 127.0.0.1
HostKey $PWD/host
AuthorizedKeysFile $PWD/authorized
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
LogLevel VERBOSE
END
/usr/sbin/sshd -D -e -f "$PWD/sshd_config" 2> sshd.log &
sshd=$!
until grep -q 'Server listening' sshd.log; do
    kill -0 "$sshd" || fail "sshd ended: $(cat sshd.log)"
    sleep 0.1
done
echo "[127.0.0.1]:2222 $(cut -d ' ' -f 1,2 host.pub)" > known_hosts

login() {
    name=$1
    shift
    timeout 60 ssh -F none -p 2222 -i "$name" -o IdentitiesOnly=yes -o UserKnownHostsFile="$PWD/known_hosts" \
        -o BatchMode=yes root@127.0.0.1 "$@"
}

# declined NAME: ssh must come as far as to be let in or not, and is not. Its 255 stands for whatever goes wrong.
declined() {
    code=0
    login "$1" true 2> refusal || code=$?
    cat refusal
    [ "$code" = 255 ] || fail "the login with $1 ends with $code"
    grep -q 'Permission denied' refusal || fail "the login with $1 is not declined"
}

for name in one two; do
    [ "$(login "$name" 'echo welcome')" = welcome ] || fail "no login with $name: $(cat sshd.log)"
done
declined stranger
softkey control "$CONTROL" approve deny
declined one
softkey control "$CONTROL" approve auto
login one true

kill "$sshd"
cat sshd.log

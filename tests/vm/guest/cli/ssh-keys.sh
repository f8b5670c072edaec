#!/bin/sh
# OpenSSH makes keys of every kind on the security key, and they sign.
. /share/guest/lib.sh

# make NAME TYPE [OPTION]...: makes the key NAME; a PIN is typed when $PIN is set.
make() {
    name=$1 type=$2
    shift 2
    run ssh-keygen -q -t "$type" "$@" -N '' -C "$name" -f "$name"
    ssh-keygen -l -f "$name.pub"
}

run() {
    if [ -n "${PIN:-}" ]; then answer "Enter PIN" "$PIN" -- "$@"; else "$@"; fi
}

# signs NAME: a signature with the key verifies, and does not for another text.
signs() {
    echo "a text for $1" > text
    rm -f text.sig
    run ssh-keygen -q -Y sign -n file -f "$1" text
    echo "user@example $(cat "$1.pub")" > signers
    ssh-keygen -Y verify -f signers -I user@example -n file -s text.sig < text
    # ssh-keygen ends with 255 whatever is wrong, so that its words must tell.
    code=0
    echo "another text" | ssh-keygen -Y verify -f signers -I user@example -n file -s text.sig > refusal 2>&1 || code=$?
    cat refusal
    [ "$code" = 255 ] || fail "another text ends with $code"
    grep -q 'incorrect signature' refusal || fail "another text is refused for something else than its signature"
}

key_start
for type in ecdsa-sk ed25519-sk; do
    make "plain-$type" "$type"
    signs "plain-$type"
done

set_pin 123456
for type in ecdsa-sk ed25519-sk; do
    # OpenSSH makes such a key without the PIN, for the security key allows it, and needs the PIN to sign.
    PIN=
    make "verified-$type" "$type" -O verify-required
    PIN=123456
    signs "verified-$type"
    make "resident-$type" "$type" -O resident -O "application=ssh:$type"
    make "both-$type" "$type" -O resident -O verify-required -O "application=ssh:both-$type"
    signs "both-$type"
    # A resident key that needs no verification signs by a touch alone.
    PIN=
    signs "resident-$type"
done

# Registration and sign-in with fido2-cred and fido2-assert, each result verified. Sourced after lib.sh.
# Results go into new files: libfido2's tools write over the beginning of an old one, and what was longer there stays.

# register NAME TYPE [OPTION]...: makes a credential of TYPE (es256, eddsa) for rp.example and verifies it. Leaves its id
# in NAME.id and its public key in NAME.pem.
# With PIN set, the PIN is typed when the tool asks for it, and the tool must ask.
register() {
    name=$1 type=$2
    shift 2
    { client_data; echo rp.example; echo "user of $name"; printf '%s' "$name" | base64; } > "$name.request"
    rm -f "$name.credential" "$name.verified"
    with_pin fido2-cred -M "$@" -i "$name.request" -o "$name.credential" "$NODE" "$type" || return
    # -h and -v must be told to the verification too; what else was asked for (rk) does not show in the result.
    verify=
    for option in "$@"; do
        case $option in -h | -v) verify="$verify $option" ;; esac
    done
    fido2-cred -V $verify -i "$name.credential" -o "$name.verified" "$type"
    sed -n 1p "$name.verified" > "$name.id"
    sed 1d "$name.verified" > "$name.pem"
}

# sign_in NAME TYPE [OPTION]...: asks for an assertion with the credential NAME and verifies it, presence included.
# Leaves it in NAME.assertion. With -h the salt in NAME.salt goes along; with -r no credential is named.
sign_in() {
    name=$1 type=$2
    shift 2
    ask_assertion "$name" "$@"
    verify=-p
    for option in "$@"; do
        case $option in -h | -v) verify="$verify $option" ;; esac
    done
    fido2-assert -V $verify -i "$name.assertion" "$name.pem" "$type"
    # For another challenge it must not verify, or the line above proves nothing.
    { client_data; sed 1d "$name.assertion"; } > "$name.tampered"
    refused fido2-assert -V $verify -i "$name.tampered" "$name.pem" "$type"
}

# ask_assertion NAME [OPTION]...: the request alone.
ask_assertion() {
    name=$1
    shift
    {
        client_data
        echo rp.example
        case " $* " in *" -r "*) ;; *) cat "$name.id" ;; esac
        case " $* " in *" -h "*) cat "$name.salt" ;; esac
    } > "$name.request"
    rm -f "$name.assertion"
    with_pin fido2-assert -G -p "$@" -i "$name.request" -o "$name.assertion" "$NODE"
}

# Runs the command, and types $PIN at it when that is set.
with_pin() {
    if [ -n "${PIN:-}" ]; then answer "Enter PIN" "$PIN" -- "$@"; else "$@"; fi
}

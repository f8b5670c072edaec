# What the shell checks share: a key of their own, and ways to fail. A check sources this file first.
set -eu

CONTROL=/run/softkey.control
KEY_PID=
trap key_stop EXIT

fail() {
    echo "FAILED: $*"
    exit 1
}

# key_start [ARGUMENT]...: plugs in a fresh key. Sets KEY_PID, and NODE to its hidraw node once udev is done with it.
# The arguments replace `--approve auto`. The key's own output goes to softkey.log in the check's folder.
key_start() {
    [ $# -gt 0 ] || set -- --approve auto
    rm -f "$CONTROL"
    softkey run --transport uhid --ephemeral --control "$CONTROL" "$@" > softkey.log 2>&1 < /dev/null &
    KEY_PID=$!
    key_wait
}

# Waits until the key's hidraw node is there and udev has marked it as a FIDO key.
key_wait() {
    tries=0
    until NODE=$(key_node); do
        kill -0 "$KEY_PID" || fail "softkey ended: $(cat softkey.log)"
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "no FIDO key appeared within 30 s: $(cat softkey.log)"
        sleep 0.1
    done
}

# Prints the node of the key; fails while there is none.
key_node() {
    for node in /dev/hidraw*; do
        [ -c "$node" ] || continue
        udevadm info --query=property --name="$node" | grep -q '^ID_FIDO_TOKEN=1' && echo "$node" && return
    done
    return 1
}

# Ends the key, which must still be alive, and shows what it said. Runs at the end of every check.
key_stop() {
    code=$?
    if [ -n "$KEY_PID" ]; then
        kill "$KEY_PID" || code=1
        wait "$KEY_PID" || :
        KEY_PID=
        echo "--- softkey said:"
        cat softkey.log
    fi
    [ "$code" -eq 0 ] || exit "$code"
}

# refused COMMAND...: the command must fail of itself. What `timeout` ended, was not found or was killed has refused
# nothing, and neither has what `answer` says (99) that it succeeded before it had asked for everything.
refused() {
    refusal_code=0
    "$@" || refusal_code=$?
    [ "$refusal_code" -ne 0 ] || fail "this should have been refused: $*"
    [ "$refusal_code" -ne 99 ] && [ "$refusal_code" -lt 124 ] || fail "this ended with $refusal_code, which is no refusal: $*"
}

# client_data: prints 32 fresh random bytes in base64, a client data hash as fido2-cred and fido2-assert want it.
client_data() {
    head -c 32 /dev/urandom | base64
}

# answer PROMPT ANSWER ... -- COMMAND...: runs the command and types the answers at its terminal.
answer() {
    /share/guest/answer.py "$@"
}

# Waits until the key tells a client that it waits for a touch.
await_touch() {
    python3 /share/guest/ctaphid.py await-touch "$NODE"
}

# set_pin PIN: gives the key its first PIN.
set_pin() {
    answer "Enter new PIN" "$1" "Enter the same PIN again" "$1" -- fido2-token -S "$NODE"
}

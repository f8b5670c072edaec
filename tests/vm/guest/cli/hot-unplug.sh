#!/bin/sh
# The key vanishes while a client waits for its touch: the client learns of it at once, and a replugged key works on.
. /share/guest/lib.sh
. /share/guest/fido2.sh

# wait_in_vain: starts a client in the background that will wait for a touch; sets CLIENT.
wait_in_vain() {
    { client_data; echo rp.example; echo user; echo dXNlcg==; } > waiting.request
    fido2-cred -M -i waiting.request -o waiting.credential "$NODE" es256 2> waiting.error &
    CLIENT=$!
    await_touch
}

# client_ends SECONDS: the client must fail within this time.
client_ends() {
    tries=$(($1 * 10))
    while kill -0 "$CLIENT" 2> /dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "the client still waits after $1 s"
        sleep 0.1
    done
    if wait "$CLIENT"; then fail "the client thinks that it has a credential"; fi
    cat waiting.error
}

key_start
register before es256

softkey control "$CONTROL" approve hold
wait_in_vain
softkey control "$CONTROL" replug
client_ends 5
kill -0 "$KEY_PID" || fail "softkey did not survive the replug"
key_wait
softkey control "$CONTROL" approve auto
sign_in before es256
register after es256

# The program is killed: the kernel takes the device away by itself.
softkey control "$CONTROL" approve hold
wait_in_vain
kill -KILL "$KEY_PID"
client_ends 5
wait "$KEY_PID" || :
KEY_PID=
cat softkey.log
tries=50
while key_node > /dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "the node is still there 5 s after the program died"
    sleep 0.1
done

# Nothing is left behind that would stop the next one.
key_start
register next es256

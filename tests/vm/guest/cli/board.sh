#!/bin/sh
# The firmware's ARM code as a USB key: softkey bridge shows the emulated board to the kernel, and libfido2 registers and
# signs in with it, also after the board was switched off. An emulator within an emulator, so no more than that.
. /share/guest/lib.sh
. /share/guest/fido2.sh

board_start() {
    softkey bridge /dev/shm/board --firmware /share/board.elf --transport uhid --press > softkey.log 2>&1 < /dev/null &
    KEY_PID=$!
    key_wait
    tries=0
    until grep -q '^ready: uhid' softkey.log; do
        kill -0 "$KEY_PID" || fail "softkey ended: $(cat softkey.log)"
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail "the board does not start within 60 s: $(cat softkey.log)"
        sleep 0.1
    done
}

board_start
fido2-token -I "$NODE" | tee info
# The kernel keeps 32 reports; a board that is shown over UDP says 7609.
for expected in 'maxmsgsiz: 1768' 'FIDO_2_1' 'es256' 'noclientPin'; do
    grep -q -- "$expected" info || fail "fido2-token -I does not say \"$expected\""
done
register board es256
sign_in board es256

# Switched off, and on again with the same flash.
kill "$KEY_PID"
wait "$KEY_PID" || :
cat softkey.log
tries=50
while key_node > /dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "the node is still there 5 s after the bridge ended"
    sleep 0.1
done
board_start
sign_in board es256

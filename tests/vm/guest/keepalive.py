#!/usr/bin/python3
"""On the wall clock: while a request waits for a touch, keepalives and INIT on another channel come in time.

The bounds are 150 ms between keepalives and 50 ms for an INIT. An emulated machine on a busy host stalls now and then,
which can only make the key look slower than it is. So there are up to five windows of four seconds, the bounds must hold
for everything in one of them, and all are printed.
"""

import os
import struct
import subprocess
import sys
import time

sys.path.insert(0, "/share/guest")
import ctaphid

SELECTION = b"\x0b"
OK, KEEPALIVE_CANCEL = 0x00, 0x2D
WINDOW, WINDOWS = 4.0, 5


def main():
    node, control = sys.argv[1:]
    key = ctaphid.Hidraw(node)
    channel = key.init()
    idle = sorted(init_time(key) for _ in range(20))
    print(f"INIT of an idle key: median {idle[10] * 1000:.1f} ms, longest {idle[-1] * 1000:.1f} ms")

    key.send(channel, ctaphid.CBOR, SELECTION)
    key.await_touch(5)
    if not any(window(key, channel) for _ in range(WINDOWS)):
        sys.exit("no window in which keepalives and INIT kept their times")

    # The request is still alive after all these: cancel ends it, and a touch ends the next one.
    key.send(channel, ctaphid.CANCEL)
    expect(key.answer(channel, 5), KEEPALIVE_CANCEL)
    key.send(channel, ctaphid.CBOR, SELECTION)
    key.await_touch(5)
    subprocess.run(["softkey", "control", control, "touch"], check=True)
    expect(key.answer(channel, 5), OK)


def window(key, channel):
    """Watches a waiting request for a while, with an INIT every 200 ms. True when all came in time."""
    end = time.monotonic() + WINDOW
    last, gaps, inits = None, [], []
    sent = nonce = None
    while (now := time.monotonic()) < end:
        if sent is None and (not inits or now - began >= 0.2):
            nonce, sent = os.urandom(8), time.monotonic()
            began = sent
            key.send(ctaphid.BROADCAST, ctaphid.INIT, nonce)
        report = key.receive(0.02)
        now = time.monotonic()
        if report is None:
            continue
        if report.channel == channel:
            assert (report.command, report.data) == (ctaphid.KEEPALIVE, b"\x02"), report.raw.hex()
            if last is not None:
                gaps.append(now - last)
            last = now
        elif report.command == ctaphid.INIT and report.data[:8] == nonce:
            inits.append(now - sent)
            sent = None
    in_time = len(gaps) > WINDOW / 0.16 and max(gaps) <= 0.150 and len(inits) > 10 and max(inits) <= 0.050
    print(f"{'in time' if in_time else 'late'}: {summary('keepalive gaps', gaps)}; {summary('INIT', inits)}")
    return in_time


def summary(what, times):
    if not times:
        return f"no {what}"
    times = sorted(times)
    return f"{len(times)} {what}, median {times[len(times) // 2] * 1000:.1f} ms, longest {times[-1] * 1000:.1f} ms"


def init_time(key):
    start = time.monotonic()
    key.init()
    return time.monotonic() - start


def expect(answer, status):
    command, data = answer
    assert (command, data) == (ctaphid.CBOR, struct.pack("B", status)), f"command {command:#x}, data {data.hex()}"


main()

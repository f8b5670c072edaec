#!/usr/bin/python3
"""On the wall clock: while a request waits for a touch, keepalives and INIT on another channel come in time. With a
third argument, the folder where the disk of the key's vault is mounted, also while a write to it takes two seconds.

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
SLOW_WINDOW = 2.0
# authenticatorMakeCredential for a discoverable credential, which must be written before it is answered.
MAKE_CREDENTIAL = (
    b"\x01\xa5\x01\x58\x20" + bytes(32) + b"\x02\xa1\x62id\x6bexample.com\x03\xa1\x62id\x41\x01"
    b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key\x07\xa1\x62rk\xf5"
)


def main():
    node, control, *mounted = sys.argv[1:]
    key = ctaphid.Hidraw(node)
    if mounted:
        return while_writing(key, *mounted)
    channel = key.init()
    idle = sorted(init_time(key) for _ in range(20))
    print(f"INIT of an idle key: median {idle[10] * 1000:.1f} ms, longest {idle[-1] * 1000:.1f} ms")

    key.send(channel, ctaphid.CBOR, SELECTION)
    key.await_touch(5)
    if not any(window(key, channel, b"\x02") for _ in range(WINDOWS)):
        sys.exit("no window in which keepalives and INIT kept their times")

    # The request is still alive after all these: cancel ends it, and a touch ends the next one.
    key.send(channel, ctaphid.CANCEL)
    expect(key.answer(channel, 5), KEEPALIVE_CANCEL)
    key.send(channel, ctaphid.CBOR, SELECTION)
    key.await_touch(5)
    subprocess.run(["softkey", "control", control, "touch"], check=True)
    expect(key.answer(channel, 5), OK)


def while_writing(key, folder):
    """Freezes the vault's disk for each window, so that the authenticator stands still in its write."""

    def slow():
        channel = key.init()
        subprocess.run(["fsfreeze", "--freeze", folder], check=True)
        try:
            key.send(channel, ctaphid.CBOR, MAKE_CREDENTIAL)
            in_time = window(key, channel, b"\x01", SLOW_WINDOW)
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", folder], check=True)
        command, data = key.answer(channel, 10)
        assert (command, data[:1]) == (ctaphid.CBOR, b"\0"), data.hex()
        return in_time

    if not any(slow() for _ in range(WINDOWS)):
        sys.exit("no window in which keepalives and INIT kept their times")


def window(key, channel, status, length=WINDOW):
    """Watches a request in work for a while, with an INIT every 200 ms. True when all came in time."""
    end = time.monotonic() + length
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
            assert report.command == ctaphid.KEEPALIVE, report.raw.hex()
            # The first may still be of the moment before the write, or of the touch.
            assert report.data == status or last is None or len(gaps) < 2, report.raw.hex()
            if last is not None:
                gaps.append(now - last)
            last = now
        elif report.command == ctaphid.INIT and report.data[:8] == nonce:
            inits.append(now - sent)
            sent = None
    enough = len(gaps) > length / 0.16 and len(inits) > length * 2.5
    in_time = enough and max(gaps) <= 0.150 and max(inits) <= 0.050
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

"""CTAPHID over a hidraw node, as much as the checks need, written apart from softkey.

As a program: `ctaphid.py await-touch NODE` waits until the key tells any client that it waits for a touch.
"""

import os
import select
import struct
import sys
import time

BROADCAST = 0xFFFFFFFF
INIT, CBOR, CANCEL, KEEPALIVE, ERROR = 0x06, 0x10, 0x11, 0x3B, 0x3F
TOUCH_NEEDED = 2


class Report:
    """One report from the key: `channel`, and for the first of a message `command` and `data` (else None)."""

    def __init__(self, raw):
        self.channel, command = struct.unpack(">IB", raw[:5])
        self.command = self.data = None
        self.raw = raw
        if command & 0x80:
            self.command = command & 0x7F
            self.length = struct.unpack(">H", raw[5:7])[0]
            self.data = raw[7 : 7 + self.length]


class Hidraw:
    """A hidraw node, opened for reports of 64 bytes."""

    def __init__(self, node):
        self.file = os.open(node, os.O_RDWR)

    def close(self):
        os.close(self.file)

    def send(self, channel, command, data=b""):
        """Sends one message, cut into reports."""
        self.write(struct.pack(">IBH", channel, command | 0x80, len(data)) + data[:57])
        for sequence, start in enumerate(range(57, len(data), 59)):
            self.write(struct.pack(">IB", channel, sequence) + data[start : start + 59])

    def write(self, report):
        # The first byte is the report number, which this device does not use.
        os.write(self.file, b"\0" + report.ljust(64, b"\0"))

    def receive(self, timeout):
        """The next report for anybody, or None after `timeout` seconds. OSError when the device is gone."""
        if not select.select([self.file], [], [], max(timeout, 0))[0]:
            return None
        return Report(os.read(self.file, 64))

    def init(self, timeout=5.0):
        """Asks for a channel; returns its number."""
        nonce = os.urandom(8)
        self.send(BROADCAST, INIT, nonce)
        end = time.monotonic() + timeout
        while report := self.receive(end - time.monotonic()):
            if (report.channel, report.command) == (BROADCAST, INIT) and report.data[:8] == nonce:
                return struct.unpack(">I", report.data[8:12])[0]
        raise TimeoutError("no answer to INIT")

    def answer(self, channel, timeout):
        """The first bytes of the answer to a request on `channel`, keepalives passed over: (command, data)."""
        end = time.monotonic() + timeout
        while report := self.receive(end - time.monotonic()):
            if report.channel == channel and report.command not in (None, KEEPALIVE):
                return report.command, report.data
        raise TimeoutError("no answer")

    def await_touch(self, timeout):
        """Waits for a keepalive, for anybody, that says a touch is waited for."""
        end = time.monotonic() + timeout
        while report := self.receive(end - time.monotonic()):
            if report.command == KEEPALIVE and report.data == bytes([TOUCH_NEEDED]):
                return
        raise TimeoutError("the key never waited for a touch")


if __name__ == "__main__":
    if sys.argv[1:2] != ["await-touch"] or len(sys.argv) != 3:
        sys.exit(__doc__)
    Hidraw(sys.argv[2]).await_touch(30)

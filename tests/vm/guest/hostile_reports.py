#!/usr/bin/python3
"""Writes thousands of hostile reports to a key's hidraw node: noise, frames of wrong lengths and sequences, messages that
break off, requests with changed bits, on its own channel, others' and none. After each few an INIT must be
answered in time. In the end the process has grown by no more than its queues may, and a registration succeeds.

Usage: hostile_reports.py NODE PID. The same reports in every run.
"""

import os
import random
import struct
import sys
import time

sys.path.insert(0, "/share/guest")
import ctaphid

PING, MSG, LOCK, WINK = 0x01, 0x03, 0x04, 0x08
COMMANDS = [PING, MSG, LOCK, ctaphid.INIT, WINK, ctaphid.CBOR, ctaphid.CANCEL, ctaphid.KEEPALIVE, ctaphid.ERROR]
# authenticatorMakeCredential of a credential that the key does not store, and U2F's registration.
MAKE_CREDENTIAL = (
    b"\x01\xa4\x01\x58\x20" + bytes(32) + b"\x02\xa1\x62id\x6bexample.com\x03\xa1\x62id\x41\x01"
    b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key"
)
REGISTER = b"\x00\x01\x00\x00\x00\x00\x40" + bytes(64)
# The kernel keeps no more than 32 reports for the key and drops what is written beyond, so rounds are short.
ROUNDS, STEPS = 600, 8
# So many rounds fill what may be filled; from then on this much may be added, in KiB.
WARM, MOST = 200, 1024
# On an emulated machine beside others.
PATIENCE = 10


def frame(channel, first, rest):
    return struct.pack(">IB", channel, first) + rest


def channel_of(chance, own):
    return chance.choice([own, own, own, own ^ 1, chance.getrandbits(32), ctaphid.BROADCAST, 0])


def message(chance, channel):
    """A whole message, or one that breaks off, with bits changed now and then."""
    data = bytearray(chance.choice([MAKE_CREDENTIAL, REGISTER, chance.randbytes(chance.randrange(400))]))
    for _ in range(chance.randrange(4)):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    command = chance.choice([ctaphid.CBOR, MSG, PING])
    frames = [frame(channel, 0x80 | command, struct.pack(">H", len(data)) + data[:57])]
    starts = range(57, len(data), 59)
    frames += [frame(channel, number, data[start : start + 59]) for number, start in enumerate(starts)]
    if chance.randrange(3) == 0:
        chance.shuffle(frames)
    return frames[: chance.randrange(len(frames)) + 1] if chance.randrange(3) == 0 else frames


def reports(chance, own):
    """The next few reports."""
    channel = channel_of(chance, own)
    match chance.randrange(6):
        case 0:
            return [chance.randbytes(64)]
        case 1:
            length = chance.choice([0, 1, 8, 57, 58, 1024, 7609, 7610, 0xFFFF])
            first = 0x80 | chance.choice(COMMANDS)
            return [frame(channel, first, struct.pack(">H", length) + chance.randbytes(57))]
        case 2:
            return [frame(channel, chance.randrange(0x100), chance.randbytes(59))]
        case 3:
            nonce = struct.pack(">H", 8) + chance.randbytes(8)
            return [frame(ctaphid.BROADCAST, 0x80 | ctaphid.INIT, nonce)]
        case 4:
            # Shorter than a report, and the lengths are left as they are.
            return [frame(channel, 0x80 | chance.choice(COMMANDS), b"")[: chance.randrange(1, 6)]]
        case _:
            return message(chance, channel)


def opens(key):
    """A channel. The kernel may drop an INIT behind too much else."""
    for _ in range(PATIENCE):
        try:
            return key.init(1)
        except TimeoutError:
            pass
    raise TimeoutError("no answer to INIT")


def memory(process):
    """The memory of the process, in KiB."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def registers(node):
    """A registration; a LOCK of another channel may stand in its way for ten seconds."""
    key = ctaphid.Hidraw(node)
    end = time.monotonic() + 10 + PATIENCE
    while True:
        channel = opens(key)
        key.send(channel, ctaphid.CBOR, MAKE_CREDENTIAL)
        command, data = key.answer(channel, PATIENCE)
        if command == ctaphid.CBOR:
            break
        assert time.monotonic() < end, f"{command:#x} {data.hex()}"
        time.sleep(0.5)
    assert data[:1] == b"\0", data.hex()
    key.close()


def main():
    node, process = sys.argv[1:]
    chance = random.Random(64)
    registers(node)
    key, began, written, warm = ctaphid.Hidraw(node), time.monotonic(), 0, 0
    for number in range(ROUNDS):
        own = opens(key)
        for _ in range(STEPS):
            for report in reports(chance, own):
                os.write(key.file, b"\0" + report)
                written += 1
            # Some answers are read, some are left until there is no room for more.
            if chance.randrange(2):
                key.receive(0)
        while key.receive(0):
            pass
        if number + 1 == WARM:
            warm = memory(process)
    registers(node)
    grown = memory(process) - warm
    seconds = time.monotonic() - began
    print(f"{written} reports in {seconds:.1f} s; VmRSS {warm} KiB, and {grown} KiB more in the end")
    assert grown <= MOST, f"grown by {grown} KiB"


main()

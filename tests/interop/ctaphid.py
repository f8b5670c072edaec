"""The key's end of CTAPHID over UDP, for authenticators of other people that have no transport of their own: 64-byte
reports, one in a datagram, as `softkey` speaks them to udp:HOST:PORT."""

import os
import socket
import struct
import threading

INIT, MSG, CBOR, CANCEL, ERROR = 0x06, 0x03, 0x10, 0x11, 0x3F
BROADCAST = b"\xff\xff\xff\xff"
INVALID_CMD = 0x01
# What INIT says of a key.
CAN_CBOR, NO_MSG = 0x04, 0x08


class Device:
    """Shows an authenticator; `call` takes MSG or CBOR and a message, and gives the whole answer."""

    def __init__(self, call, capabilities):
        self.call, self.capabilities = call, capabilities
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.channels = 0
        # What has arrived of the message that is being sent: channel, command, length, bytes.
        self.message = None
        threading.Thread(target=self.serve, daemon=True).start()

    def address(self):
        return "udp:%s:%d" % self.socket.getsockname()

    def serve(self):
        while True:
            report, self.peer = self.socket.recvfrom(256)
            if len(report) == 64:
                self.receive(report)

    def receive(self, report):
        channel, first = report[:4], report[4]
        if first & 0x80:
            length = struct.unpack(">H", report[5:7])[0]
            self.message = (channel, first & 0x7F, length, report[7 : 7 + length])
        elif self.message and self.message[0] == channel:
            channel, command, length, data = self.message
            self.message = (channel, command, length, (data + report[5:])[:length])
        if self.message and len(self.message[3]) == self.message[2]:
            (channel, command, _, data), self.message = self.message, None
            self.obey(channel, command, data)

    def obey(self, channel, command, data):
        if command == INIT:
            self.channels += channel == BROADCAST
            number = struct.pack(">I", self.channels) if channel == BROADCAST else channel
            self.send(channel, INIT, data[:8] + number + bytes([2, 0, 0, 1, self.capabilities]))
        elif command in (MSG, CBOR):
            self.send(channel, command, self.call(command, data))
        elif command != CANCEL:
            self.send(channel, ERROR, bytes([INVALID_CMD]))

    def send(self, channel, command, data):
        head, rest = data[:57], data[57:]
        reports = [bytes([command | 0x80]) + struct.pack(">H", len(data)) + head]
        reports += [bytes([at // 59]) + rest[at : at + 59] for at in range(0, len(rest), 59)]
        for report in reports:
            self.socket.sendto((channel + report).ljust(64, b"\0"), self.peer)


def serve_lines(answer):
    """The other end of a pipe: each line that comes in is the command and the message, each that goes out the answer."""
    for line in os.fdopen(0):
        command, message = line.split(" ")
        print(answer(int(command, 16), bytes.fromhex(message)).hex(), flush=True)

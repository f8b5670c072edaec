"""ctap-keyring-device, an authenticator of CTAP 2.0 alone, at the end of a pipe; see foreign_authenticators.py. Its keyring
is this process's memory, its user whoever there is on Linux: nobody, who approves.

Three things are put right on the way, without which no client goes on. The algorithms in its getInfo, a member that CTAP 2.0
does not have, are bare numbers, as in no version: they are left out. It takes users' identifiers for text, and Python before
3.12 stops at that: it is given theirs in hexadecimal. It gives them back as text: they become bytes."""

from uuid import uuid5

import keyring
from ctap_keyring_device import ctap_credential_maker
from ctap_keyring_device.ctap_keyring_device import CtapKeyringDevice
from fido2 import cbor
from keyring.backend import KeyringBackend

from ctaphid import serve_lines

GET_ASSERTION, GET_INFO = 0x02, 0x04
USER, ALGORITHMS = 0x04, 0x0A


class Memory(KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


def answer(command, message):
    answer = key.call(command, message)
    if answer[0] != 0 or message[0] not in (GET_ASSERTION, GET_INFO):
        return answer
    members = cbor.decode(answer[1:])
    if message[0] == GET_INFO:
        del members[ALGORITHMS]
    else:
        members[USER]["id"] = bytes.fromhex(members[USER]["id"])
    return answer[:1] + cbor.encode(members)


ctap_credential_maker.uuid5 = lambda namespace, user_id: uuid5(namespace, user_id.hex())
keyring.set_keyring(Memory())
key = CtapKeyringDevice()
serve_lines(answer)

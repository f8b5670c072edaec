"""python-fido2 as the client of `softkey run --transport udp`: PIN, every algorithm, sign-in, account management,
settings, extensions, large blobs, fingerprints, U2F, cancelling, and what a power cycle keeps. With FIRMWARE the same
against the emulated board that `softkey bridge` shows, but for what a board has not. One of the two client libraries
of IX-05; the other one is libfido2, in the VM.
Usage: python_fido2.py PATH-OF-SOFTKEY [FIRMWARE]"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap1 import APDU, ApduError, Ctap1
from fido2.ctap2 import ClientPin, Config, CredentialManagement, Ctap2, FPBioEnrollment
from fido2.ctap2.bio import CaptureError
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.utils import websafe_encode

PIN, OTHER_PIN = "correct horse", "battery staple"
PARTY = {"id": "example.com", "name": "Example"}


class Udp(CtapHidConnection):
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.connect(address)

    def read_packet(self):
        return self.socket.recv(64)

    def write_packet(self, data):
        self.socket.send(data)

    def close(self):
        self.socket.close()


class Shown:
    """A process of softkey that shows a key over UDP."""

    def start(self, *arguments):
        self.process = subprocess.Popen(
            [sys.argv[1], *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.log = []
        for line in self.process.stdout:
            self.log.append(line)
            if line.startswith("ready: udp "):
                host, port = line.removeprefix("ready: udp ").split(";")[0].rsplit(":", 1)
                self.address = (host, int(port))
                break
        else:
            raise AssertionError("".join(self.log))
        # The rest of the output must be read, or be left out; here it is read.
        threading.Thread(target=lambda: self.log.extend(self.process.stdout), daemon=True).start()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(10) == 0, "".join(self.log)
        self.process.stdin.close()

    def device(self):
        return CtapHidDevice(HidDescriptor("udp", 0, 0, 64, 64, "softkey", None), Udp(self.address))

    def ctap2(self):
        return Ctap2(self.device())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Run(Shown):
    """A running key on a vault, approved by nobody unless it is told otherwise."""

    listed, more = [-7, -8, -35, -36, -47], [-9, -19, -51, -52]

    def __init__(self, folder, *arguments):
        self.control_path = os.path.join(folder, "control")
        vault = os.path.join(folder, "vault")
        place = ("--transport", "udp", "--listen", "127.0.0.1:0", "--control", self.control_path)
        self.start("run", *place, "--vault", vault, "--approve", "auto", *arguments)

    def control(self, *words, **named):
        return subprocess.run([sys.argv[1], "control", self.control_path, *words], **named)

    def replug(self):
        self.control("replug", check=True)

    def hold(self):
        self.control("approve", "hold", check=True)

    def touch(self):
        # There may be no question yet.
        self.control("touch", capture_output=True)


class Board(Shown):
    """The emulated board, with a button that is held whenever it asks, or touched when the test says so."""

    listed, more = [-7, -8], [-9, -19]

    def __init__(self, folder):
        self.arguments = ["bridge", os.path.join(folder, "board"), "--firmware", sys.argv[2], "--listen", "127.0.0.1:0"]
        self.start(*self.arguments, "--press")

    def replug(self):
        self.stop()
        self.start(*self.arguments, "--press")

    def hold(self):
        self.stop()
        self.start(*self.arguments)

    def touch(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


Key = Board if len(sys.argv) > 2 else Run


def not_of_a_board(why):
    """Marks a test of what a board has not."""

    def mark(test):
        test.why = why
        return test

    return mark


def status_of(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except CtapError as error:
        return error.code
    return CtapError.ERR.SUCCESS


def token(ctap2, pin, permission, party=None):
    client_pin = ClientPin(ctap2)
    return client_pin.protocol, client_pin.get_pin_token(pin, permission, party)


def register(ctap2, user, algorithm=-7, pin=None):
    challenge = os.urandom(32)
    named = {"options": {"rk": True}}
    if pin:
        protocol, value = token(ctap2, pin, ClientPin.PERMISSION.MAKE_CREDENTIAL, PARTY["id"])
        named |= {"pin_uv_param": protocol.authenticate(value, challenge), "pin_uv_protocol": protocol.VERSION}
    account = {"id": user.encode(), "name": user}
    parameters = [{"type": "public-key", "alg": algorithm}]
    response = ctap2.make_credential(challenge, PARTY, account, parameters, **named)
    assert response.auth_data.is_user_present()
    assert response.auth_data.is_user_verified() == bool(pin)
    return response.auth_data.credential_data


def sign_in(ctap2, credential):
    challenge = os.urandom(32)
    allowed = [{"type": "public-key", "id": credential.credential_id}]
    assertion = ctap2.get_assertion(PARTY["id"], challenge, allowed)
    assertion.verify(challenge, credential.public_key)
    return assertion.auth_data.counter


def every_algorithm_registers_and_signs_in(folder):
    with Key(folder) as key:
        ctap2 = key.ctap2()
        listed = [entry["alg"] for entry in ctap2.get_info().algorithms]
        assert listed == key.listed, listed
        for algorithm in listed + key.more:
            credential = register(ctap2, f"user{algorithm}", algorithm)
            assert credential.public_key[3] == algorithm
            first = sign_in(ctap2, credential)
            assert sign_in(ctap2, credential) > first


def a_pin_is_set_used_changed_and_missed(folder):
    with Key(folder) as key:
        ctap2 = key.ctap2()
        ClientPin(ctap2).set_pin(PIN)
        assert ctap2.get_info().options["clientPin"] is True
        wrong = (token, ctap2, "wrong", ClientPin.PERMISSION.GET_ASSERTION, PARTY["id"])
        assert status_of(*wrong) == CtapError.ERR.PIN_INVALID
        assert ClientPin(ctap2).get_pin_retries()[0] == 7
        register(ctap2, "ada", pin=PIN)
        ClientPin(ctap2).change_pin(PIN, OTHER_PIN)
        assert ClientPin(ctap2).get_pin_retries()[0] == 8
        for _ in range(2):
            assert status_of(*wrong) == CtapError.ERR.PIN_INVALID
        assert status_of(*wrong) == CtapError.ERR.PIN_AUTH_BLOCKED
        key.replug()
        ctap2 = key.ctap2()
        assert ClientPin(ctap2).get_pin_retries()[0] == 5, "the count outlives the power cycle, the lock does not"
        register(ctap2, "bob", pin=OTHER_PIN)
    with Key(folder) as key:
        ctap2 = key.ctap2()
        protocol, value = token(ctap2, OTHER_PIN, ClientPin.PERMISSION.CREDENTIAL_MGMT)
        management = CredentialManagement(ctap2, protocol, value)
        [party] = management.enumerate_rps()
        accounts = management.enumerate_creds(party[CredentialManagement.RESULT.RP_ID_HASH])
        names = {account[CredentialManagement.RESULT.USER]["name"] for account in accounts}
        assert names == {"ada", "bob"}, names
        management.delete_cred(accounts[0][CredentialManagement.RESULT.CREDENTIAL_ID])
        assert management.get_metadata()[CredentialManagement.RESULT.EXISTING_CRED_COUNT] == 1


def credentials_outlive_the_process_and_not_a_reset(folder):
    with Key(folder) as key:
        credential = register(key.ctap2(), "ada")
        counter = sign_in(key.ctap2(), credential)
    with Key(folder) as key:
        assert sign_in(key.ctap2(), credential) > counter
    with Key(folder) as key:
        ctap2 = key.ctap2()
        ctap2.reset()
        assert status_of(sign_in, ctap2, credential) == CtapError.ERR.NO_CREDENTIALS


def a_touch_can_be_withheld_and_a_request_cancelled(folder):
    with Key(folder) as key:
        key.hold()
        ctap2, keepalives, cancel = key.ctap2(), [], threading.Event()

        def keepalive(status):
            keepalives.append(status)
            if status == 2:
                cancel.set()

        waited = status_of(ctap2.selection, event=cancel, on_keepalive=keepalive)
        assert waited == CtapError.ERR.KEEPALIVE_CANCEL and 2 in keepalives, (waited, keepalives)
        touched = []
        asking = threading.Thread(target=lambda: touched.append(status_of(ctap2.selection)))
        asking.start()
        while asking.is_alive():
            key.touch()
            asking.join(0.05)
        assert touched == [CtapError.ERR.SUCCESS]


@not_of_a_board("its user has a button, which says nothing but yes")
def a_user_can_refuse(folder):
    with Key(folder) as key:
        key.control("approve", "deny", check=True)
        assert status_of(key.ctap2().selection) == CtapError.ERR.OPERATION_DENIED


class Owner(UserInteraction):
    def request_pin(self, permissions, rp_id):
        return PIN


def client(key):
    origin = DefaultClientDataCollector("https://" + PARTY["id"])
    return Fido2Client(key.device(), origin, user_interaction=Owner())


def created(key, user, extensions):
    response = client(key).make_credential({
        "rp": PARTY,
        "user": {"id": user.encode(), "name": user, "displayName": user},
        "challenge": os.urandom(32),
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
        "extensions": extensions,
    })
    return response


def asserted(key, credential_id, extensions):
    selection = client(key).get_assertion({
        "rpId": PARTY["id"],
        "challenge": os.urandom(32),
        "allowCredentials": [{"type": "public-key", "id": credential_id}],
        "userVerification": "required",
        "extensions": extensions,
    })
    return selection.get_response(0)


def salts(*bytes_of):
    return {"eval": dict(zip(("first", "second"), (websafe_encode(bytes([it]) * 32) for it in bytes_of)))}


def extensions_give_a_client_what_they_promise(folder):
    with Key(folder) as key:
        ClientPin(key.ctap2()).set_pin(PIN)
        made = created(key, "ada", {
            "prf": salts(1, 2),
            "largeBlob": {"support": "required"},
            "credBlob": b"thirty-two bytes of a credential",
            "credentialProtectionPolicy": "userVerificationRequired",
            "enforceCredentialProtectionPolicy": True,
            "credProps": True,
        })
        outputs, authenticator = made.client_extension_results, made.response.attestation_object.auth_data.extensions
        assert authenticator["credProtect"] == 3 and authenticator["credBlob"] is True, authenticator
        assert outputs.cred_props.rk is True and outputs.large_blob.supported is True, outputs
        identifier = made.raw_id
        results = asserted(key, identifier, {"prf": salts(1, 2)}).client_extension_results.prf.results
        assert results == outputs.prf.results, "the same secret at creation and at sign-in"
        assert asserted(key, identifier, {"prf": salts(2)}).client_extension_results.prf.results.first == results.second
        written = asserted(key, identifier, {"largeBlob": {"write": websafe_encode(b"kept" * 300)}})
        assert written.client_extension_results.large_blob.written is True
        key.replug()
        read = asserted(key, identifier, {"largeBlob": {"read": True}, "getCredBlob": True})
        assert read.client_extension_results.large_blob.blob == b"kept" * 300
        blob = read.response.authenticator_data.extensions["credBlob"]
        assert blob == b"thirty-two bytes of a credential", blob
        assert asserted(key, identifier, {"prf": salts(1, 2)}).client_extension_results.prf.results == results


def an_owner_renames_accounts_and_changes_settings(folder):
    with Key(folder) as key:
        ctap2 = key.ctap2()
        ClientPin(ctap2).set_pin(PIN)
        credential = register(ctap2, "ada", pin=PIN)
        management = CredentialManagement(ctap2, *token(ctap2, PIN, ClientPin.PERMISSION.CREDENTIAL_MGMT))
        descriptor = {"type": "public-key", "id": credential.credential_id}
        management.update_user_info(descriptor, {"id": b"ada", "name": "countess", "displayName": "Ada"})
        [party] = management.enumerate_rps()
        [account] = management.enumerate_creds(party[CredentialManagement.RESULT.RP_ID_HASH])
        assert account[CredentialManagement.RESULT.USER] == {"id": b"ada", "name": "countess", "displayName": "Ada"}
        config = Config(ctap2, *token(ctap2, PIN, ClientPin.PERMISSION.AUTHENTICATOR_CFG))
        config.set_min_pin_length(6, ["example.com"])
        config.toggle_always_uv()
        info = ctap2.get_info()
        assert info.min_pin_length == 6 and info.options["alwaysUv"] is True and not info.force_pin_change
        assert status_of(config.set_min_pin_length, 5) == CtapError.ERR.PIN_POLICY_VIOLATION
        assert status_of(register, ctap2, "bob") == CtapError.ERR.PUAT_REQUIRED
    with Key(folder) as key:
        info = key.ctap2().get_info()
        assert info.min_pin_length == 6 and info.options["alwaysUv"] is True


def enrollment(ctap2):
    return FPBioEnrollment(ctap2, *token(ctap2, PIN, ClientPin.PERMISSION.BIO_ENROLL))


@not_of_a_board("it has no fingerprint sensor")
def fingers_are_enrolled_renamed_and_removed(folder):
    with Key(folder, "--uv", "fingerprint") as key:
        ctap2 = key.ctap2()
        ClientPin(ctap2).set_pin(PIN)
        assert ctap2.get_info().options["bioEnroll"] is False and ctap2.get_info().options["uv"] is False
        bio = enrollment(ctap2)
        sensor = bio.get_fingerprint_sensor_info()
        assert sensor[2] == 1 and sensor[3] == 4 and sensor[8] == 64, sensor
        assert bio.enumerate_enrollments() == {}
        enrolling = bio.enroll(1000)
        assert enrolling.capture() is None and enrolling.remaining == 3
        key.control("finger", "too-high", check=True)
        try:
            raise AssertionError(enrolling.capture())
        except CaptureError as error:
            assert error.code == 1, error.code
        assert enrolling.remaining == 3
        enrolling.cancel()
        assert bio.enumerate_enrollments() == {}
        enrolling, template = bio.enroll(), None
        while template is None:
            template = enrolling.capture()
        bio.set_name(template, "thumb")
        assert bio.enumerate_enrollments() == {template: "thumb"}
        assert ctap2.get_info().options["bioEnroll"] is True and ctap2.get_info().options["uv"] is True
        verified = ClientPin(ctap2).get_uv_token(ClientPin.PERMISSION.GET_ASSERTION, PARTY["id"])
        assert len(verified) == 32
        key.control("finger", "2", check=True)
        asked = (ClientPin(ctap2).get_uv_token, ClientPin.PERMISSION.GET_ASSERTION, PARTY["id"])
        assert status_of(*asked) == CtapError.ERR.UV_INVALID
    with Key(folder, "--uv", "fingerprint") as key:
        bio = enrollment(key.ctap2())
        assert bio.enumerate_enrollments() == {template: "thumb"}, "fingers outlive the process"
        bio.remove_enrollment(template)
        assert bio.enumerate_enrollments() == {}
        assert key.ctap2().get_info().options["uv"] is False


def u2f_registers_and_authenticates(folder):
    with Key(folder) as key:
        ctap1 = Ctap1(key.device())
        assert ctap1.get_version() == "U2F_V2"
        application, challenge = os.urandom(32), os.urandom(32)
        registered = polled(ctap1.register, challenge, application)
        registered.verify(application, challenge)
        signed = polled(ctap1.authenticate, challenge, application, registered.key_handle)
        signed.verify(application, challenge, registered.public_key)


def polled(call, *arguments):
    for _ in range(100):
        try:
            return call(*arguments)
        except ApduError as error:
            assert error.code == APDU.USE_NOT_SATISFIED, hex(error.code)
            time.sleep(0.05)
    raise AssertionError("the touch never came")


tests = [
    every_algorithm_registers_and_signs_in,
    a_pin_is_set_used_changed_and_missed,
    credentials_outlive_the_process_and_not_a_reset,
    a_touch_can_be_withheld_and_a_request_cancelled,
    a_user_can_refuse,
    extensions_give_a_client_what_they_promise,
    an_owner_renames_accounts_and_changes_settings,
    fingers_are_enrolled_renamed_and_removed,
    u2f_registers_and_authenticates,
]
suite, passed = "python_fido2" + ("::board" if Key is Board else ""), 0
for test in tests:
    if Key is Board and hasattr(test, "why"):
        print(f"test {suite}::{test.__name__} ... left out: {test.why}", flush=True)
        continue
    with tempfile.TemporaryDirectory() as place:
        test(place)
    print(f"test {suite}::{test.__name__} ... ok", flush=True)
    passed += 1
print(f"test result: ok. {passed} passed; 0 failed; {len(tests) - passed} left out")

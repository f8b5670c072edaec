"""The server of python-fido2, a relying party, which judges every algorithm but those of one curve under two numbers, ML-DSA
among them: with a certificate, with self attestation and without attestation, with a PIN and without, discoverable and not;
and a key that speaks U2F alone. It refuses a signature with a bit flipped. Usage: python_fido2_server.py PATH-OF-SOFTKEY"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile

from fido2.attestation import Attestation, AttestationType, InvalidSignature
from fido2.attestation.base import verify_x509_chain
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, PublicKeyCredentialDescriptor, PublicKeyCredentialParameters

from wrong import ORIGIN, RP_ID, softkey

PIN = "1234"
USER = {"id": b"ada", "name": "ada", "displayName": "Ada"}
ALGORITHMS = {
    "ES256": -7,
    "EdDSA": -8,
    "ES384": -35,
    "ES512": -36,
    "ES256K": -47,
    "RS256": -257,
    "ML-DSA-44": -48,
    "ML-DSA-65": -49,
    "ML-DSA-87": -50,
}
# Its key pairs take seconds each.
SLOW = {"RS256"}


@contextlib.contextmanager
def key(*arguments, pin=None):
    arguments = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto", *arguments]
    process = subprocess.Popen(
        [sys.argv[1], *arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        ready = next(event for event in map(json.loads, process.stdout) if event["event"] == "ready")
        environment = {"SOFTKEY_DEVICE": ready["devices"][0].replace("udp ", "udp:")}
        if pin:
            environment["SOFTKEY_PIN"] = pin
            softkey("pin", "set", environment=environment)
        yield environment
    finally:
        process.kill()
        process.wait()


class Judge:
    """Verifies each statement, and keeps what kind it was of."""

    def __call__(self, attestation_object, client_data_hash):
        form = attestation_object.fmt
        result = Attestation.for_type(form)().verify(
            attestation_object.att_stmt, attestation_object.auth_data, client_data_hash
        )
        if result.trust_path:
            verify_x509_chain(result.trust_path)
        self.seen = (form, result.attestation_type)


class Party:
    """A relying party, and the key with which somebody registers there and signs in."""

    def __init__(self, environment, algorithm, conveyance):
        self.environment, self.judge = environment, Judge()
        self.server = Fido2Server(
            {"id": RP_ID, "name": "Example"}, attestation=conveyance, verify_attestation=self.judge
        )
        self.server.allowed_algorithms = [PublicKeyCredentialParameters(type="public-key", alg=algorithm)]
        self.verification = "required" if "SOFTKEY_PIN" in environment else "discouraged"

    def ask(self, ceremony, options):
        text = json.dumps(dict(options))
        return json.loads(softkey(ceremony, "--origin", ORIGIN, text=text, environment=self.environment))

    def register(self, resident):
        options, state = self.server.register_begin(
            USER,
            resident_key_requirement="required" if resident else "discouraged",
            user_verification=self.verification,
        )
        response = self.ask("create", options)
        registered = self.server.register_complete(state, response)
        if self.server.attestation == "none":
            # The server does not look at what it did not ask for; the statement must be the empty one all the same.
            self.judge(AttestationObject(websafe_decode(response["response"]["attestationObject"])), bytes(32))
        return registered.credential_data

    def sign_in(self, credential, listed):
        descriptors = [PublicKeyCredentialDescriptor(type="public-key", id=credential.credential_id)]
        options, state = self.server.authenticate_begin(descriptors if listed else None, self.verification)
        response = self.ask("get", options)
        self.server.authenticate_complete(state, [credential], response)
        signature = bytearray(websafe_decode(response["response"]["signature"]))
        signature[-1] ^= 1
        response["response"]["signature"] = websafe_encode(bytes(signature))
        try:
            self.server.authenticate_complete(state, [credential], response)
        except ValueError as error:
            assert str(error) == "Invalid signature.", error
            return
        raise AssertionError("a signature with a bit flipped was accepted")


# What conveyance is asked for, of a key with which root, and what must be seen.
FORMS = {
    "certificate": ("direct", False, ("packed", AttestationType.BASIC)),
    "self": ("direct", True, ("packed", AttestationType.SELF)),
    "none": ("none", False, ("none", AttestationType.NONE)),
}


def every_algorithm(root):
    listed = ",".join(ALGORITHMS)
    seen = {name: 0 for name in ALGORITHMS}
    for pin in (None, PIN):
        for rooted in (False, True):
            arguments = ["--algorithms", listed, *(["--attestation", root] if rooted else [])]
            with key(*arguments, pin=pin) as environment:
                for conveyance, of_root, expected in FORMS.values():
                    if of_root != rooted:
                        continue
                    for name, algorithm in ALGORITHMS.items():
                        party = Party(environment, algorithm, conveyance)
                        for resident in (pin is None,) if name in SLOW else (True, False):
                            credential = party.register(resident)
                            assert credential.public_key.ALGORITHM == algorithm
                            assert party.judge.seen == expected, (name, party.judge.seen)
                            party.sign_in(credential, not resident)
                            seen[name] += 1
    for name, count in seen.items():
        print(f"python-fido2's server accepts {name}: {count} registrations and sign-ins")


def a_statement_with_a_bit_flipped_is_refused(root):
    for arguments in ([], ["--attestation", root]):
        with key("--algorithms", "ml-dsa-44,es256", *arguments) as environment:
            party = Party(environment, -48, "direct")
            party.server._verify_attestation = flipped
            try:
                party.register(False)
            except InvalidSignature:
                continue
            raise AssertionError("accepted")


def flipped(attestation_object, client_data_hash):
    wrong = bytes([client_data_hash[0] ^ 1]) + client_data_hash[1:]
    Judge()(attestation_object, wrong)


def u2f():
    with key("--profile", "u2f") as environment:
        party = Party(environment, -7, "direct")
        credential = party.register(False)
        assert party.judge.seen == ("fido-u2f", AttestationType.BASIC), party.judge.seen
        party.sign_in(credential, True)
        print("python-fido2's server accepts a key that speaks U2F alone")


with tempfile.TemporaryDirectory() as folder:
    root = os.path.join(folder, "root")
    softkey("attestation", "new", "--file", root)
    softkey("attestation", "format", "self", "--file", root)
    every_algorithm(root)
    a_statement_with_a_bit_flipped_is_refused(root)
    u2f()
print("test result: ok. 3 passed; 0 failed")

"""A relying party at http://localhost:8000: the page, the options for each ceremony, and the checks of its outcome."""

import base64
import hashlib
import http.server
import json
import os
import threading

from fido2.ctap2 import AttestationObject, AuthenticatorData
from fido2.attestation import Attestation

RP_ID = "localhost"
ORIGIN = "http://localhost:8000"
ES256 = -7


class RelyingParty:
    """One party with at most one account, whose credentials it remembers."""

    def __init__(self, attestation, user_verification="discouraged", resident_key="discouraged"):
        self.attestation = attestation
        self.user_verification = user_verification
        self.resident_key = resident_key
        self.user = os.urandom(32)
        self.credentials = {}
        server = http.server.ThreadingHTTPServer(("localhost", 8000), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def register(self, browser):
        """Lets the browser make a credential and checks everything about it."""
        self.challenge = os.urandom(32)
        result = browser.ceremony("create", {
            "rp": {"id": RP_ID, "name": "Relying party"},
            "user": {"id": encode(self.user), "name": "user", "displayName": "A user"},
            "challenge": encode(self.challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": ES256}],
            "excludeCredentials": [self.descriptor(id) for id in self.credentials],
            "authenticatorSelection": {
                "authenticatorAttachment": "cross-platform",
                "residentKey": self.resident_key,
                "requireResidentKey": self.resident_key == "required",
                "userVerification": self.user_verification,
            },
            "hints": ["security-key"],
            "attestation": self.attestation,
            "timeout": 120000,
        })
        response = result["response"]
        client_data_hash = self.check_client_data(response, "webauthn.create")
        attestation = AttestationObject(decode(response["attestationObject"]))
        data = attestation.auth_data
        self.check_authenticator_data(data)
        credential = data.credential_data
        assert credential is not None, "no attested credential data"
        assert credential.credential_id == decode(result["rawId"]), "the id is not the one in the authenticator data"
        assert credential.public_key[3] == ES256, f"algorithm {credential.public_key[3]} was not asked for"
        assert (attestation.fmt == "none") == (self.attestation == "none"), f"attestation {attestation.fmt}"
        if attestation.fmt != "none":
            Attestation.for_type(attestation.fmt)().verify(attestation.att_statement, data, client_data_hash)
        assert response.get("transports") == ["usb"], f"transports {response.get('transports')}"
        self.credentials[credential.credential_id] = [credential.public_key, data.counter]
        print(f"registered, attestation {attestation.fmt}, flags {data.flags:#04x}")

    def sign_in(self, browser, named=True):
        """Lets the browser sign in, with the known credentials named or with none, and checks everything about it."""
        self.challenge = os.urandom(32)
        result = browser.ceremony("get", {
            "rpId": RP_ID,
            "challenge": encode(self.challenge),
            "allowCredentials": [self.descriptor(id) for id in self.credentials] if named else [],
            "userVerification": self.user_verification,
            "hints": ["security-key"],
            "timeout": 120000,
        })
        response = result["response"]
        client_data_hash = self.check_client_data(response, "webauthn.get")
        data = AuthenticatorData(decode(response["authenticatorData"]))
        self.check_authenticator_data(data)
        known = self.credentials[decode(result["rawId"])]
        public_key, counter = known
        public_key.verify(data + client_data_hash, decode(response["signature"]))
        assert data.counter > counter, f"the counter went from {counter} to {data.counter}"
        known[1] = data.counter
        if not named:
            assert decode(response["userHandle"]) == self.user, "not the user who registered"
        print(f"signed in, flags {data.flags:#04x}, counter {data.counter}")

    def check_client_data(self, response, kind):
        """Checks the client data; returns its hash."""
        raw = decode(response["clientDataJSON"])
        data = json.loads(raw)
        assert data["type"] == kind, f"type {data['type']}"
        assert decode(data["challenge"]) == self.challenge, "not the challenge of this ceremony"
        assert data["origin"] == ORIGIN, f"origin {data['origin']}"
        assert not data.get("crossOrigin"), "this page is in no frame"
        return hashlib.sha256(raw).digest()

    def check_authenticator_data(self, data):
        assert data.rp_id_hash == hashlib.sha256(RP_ID.encode()).digest(), "made for another relying party"
        assert data.is_user_present(), "the user was not present"
        assert data.is_user_verified() or self.user_verification != "required", "the user was not verified"
        assert data.flags & 0x18 == 0, "a key that cannot be backed up says so"

    @staticmethod
    def descriptor(id):
        return {"type": "public-key", "id": encode(id), "transports": ["usb"]}


class Page(http.server.BaseHTTPRequestHandler):
    """Serves the one page at every address."""

    def do_GET(self):
        with open(os.path.join(os.path.dirname(__file__), "page.html"), "rb") as file:
            page = file.read()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args):
        pass


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

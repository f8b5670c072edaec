"""Debian's python-fido2 against the key on its hidraw node: accounts, large blobs, settings, secrets of hmac-secret, and
fingers. The key has a fingerprint sensor, on which lies what SOFTKEY control says, and no PIN yet.
Usage: python_fido2.py CONTROL"""

import os
import subprocess
import sys

from fido2.ctap import CtapError
from fido2.ctap2 import CaptureError, ClientPin, Config, CredentialManagement, Ctap2, FPBioEnrollment, LargeBlobs
from fido2.ctap2.extensions import HmacSecretExtension
from fido2.hid import CtapHidDevice

PIN = "123456"
PARTIES = [{"id": "example.com", "name": "Example"}, {"id": "example.org", "name": "Other"}]
RESULT = CredentialManagement.RESULT


def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except CtapError as given:
        assert given.code == error, (given.code, error)
    else:
        raise AssertionError(f"{call} was not refused")


def token(ctap2, permission, party=None):
    client_pin = ClientPin(ctap2)
    return client_pin.protocol, client_pin.get_pin_token(PIN, permission, party)


def register(ctap2, party, user, extensions=None):
    challenge = os.urandom(32)
    protocol, value = token(ctap2, ClientPin.PERMISSION.MAKE_CREDENTIAL, party["id"])
    made = ctap2.make_credential(
        challenge, party, {"id": user.encode(), "name": user}, [{"type": "public-key", "alg": -7}],
        extensions=extensions, options={"rk": True},
        pin_uv_param=protocol.authenticate(value, challenge), pin_uv_protocol=protocol.VERSION,
    )
    assert made.auth_data.is_user_present() and made.auth_data.is_user_verified()
    return made


def sign_in(ctap2, made, extensions=None):
    challenge, credential = os.urandom(32), made.auth_data.credential_data
    allowed = [{"type": "public-key", "id": credential.credential_id}]
    protocol, value = token(ctap2, ClientPin.PERMISSION.GET_ASSERTION, PARTIES[0]["id"])
    given = ctap2.get_assertion(
        PARTIES[0]["id"], challenge, allowed, extensions,
        pin_uv_param=protocol.authenticate(value, challenge), pin_uv_protocol=protocol.VERSION,
    )
    given.verify(challenge, credential.public_key)
    return given


def accounts(ctap2):
    made = [register(ctap2, party, user) for party in PARTIES for user in ("ada", "bob")]
    management = CredentialManagement(ctap2, *token(ctap2, ClientPin.PERMISSION.CREDENTIAL_MGMT))
    assert management.get_metadata()[RESULT.EXISTING_CRED_COUNT] == 4
    found = {}
    for party in management.enumerate_rps():
        listed = management.enumerate_creds(party[RESULT.RP_ID_HASH])
        found[party[RESULT.RP]["id"]] = sorted(account[RESULT.USER]["name"] for account in listed)
    assert found == {party["id"]: ["ada", "bob"] for party in PARTIES}, found
    gone, kept = [{"type": "public-key", "id": it.auth_data.credential_data.credential_id} for it in made[:2]]
    management.delete_cred(gone)
    refused(CtapError.ERR.NO_CREDENTIALS, management.delete_cred, gone)
    assert management.get_metadata()[RESULT.EXISTING_CRED_COUNT] == 3
    refused(CtapError.ERR.NO_CREDENTIALS, sign_in, ctap2, made[0])
    sign_in(ctap2, made[1])


def large_blobs(ctap2):
    made = register(ctap2, PARTIES[0], "eve", {"largeBlobKey": True})
    key = made.large_blob_key
    assert len(key) == 32
    blobs = LargeBlobs(ctap2, *token(ctap2, ClientPin.PERMISSION.LARGE_BLOB_WRITE))
    assert blobs.read_blob_array() == []
    # In one fragment: this version of python-fido2 announces each fragment's length as that of the whole array.
    kept = os.urandom(1000)
    blobs.put_blob(key, kept)
    assert blobs.get_blob(sign_in(ctap2, made, {"largeBlobKey": True}).large_blob_key) == kept
    assert LargeBlobs(ctap2).get_blob(os.urandom(32)) is None
    # Another token has been given since.
    refused(CtapError.ERR.PIN_AUTH_INVALID, blobs.delete_blob, key)
    LargeBlobs(ctap2, *token(ctap2, ClientPin.PERMISSION.LARGE_BLOB_WRITE)).delete_blob(key)
    assert LargeBlobs(ctap2).read_blob_array() == []


def hmac_secret(ctap2):
    made = register(ctap2, PARTIES[0], "zoe", {"hmac-secret": True})
    assert made.auth_data.extensions["hmac-secret"] is True

    def secrets(salt1, salt2=b""):
        extension = HmacSecretExtension(ctap2)
        asked = extension.process_get_input({"hmacGetSecret": {"salt1": salt1, "salt2": salt2}})
        given = sign_in(ctap2, made, {"hmac-secret": asked})
        return extension.process_get_output(given.auth_data)["hmacGetSecret"]

    both = secrets(b"\1" * 32, b"\2" * 32)
    assert len(both["output1"]) == 32 and both["output1"] != both["output2"]
    assert secrets(b"\2" * 32) == {"output1": both["output2"]}, "a secret hangs on its salt alone"


def settings(ctap2):
    config = Config(ctap2, *token(ctap2, ClientPin.PERMISSION.AUTHENTICATOR_CFG))
    config.set_min_pin_length(6, [PARTIES[0]["id"]])
    refused(CtapError.ERR.PIN_POLICY_VIOLATION, config.set_min_pin_length, 5)
    config.toggle_always_uv()
    info = ctap2.get_info()
    assert info.min_pin_length == 6 and info.options["alwaysUv"] is True, info
    config.toggle_always_uv()
    assert ctap2.get_info().options["alwaysUv"] is False
    made = register(ctap2, PARTIES[0], "max", {"minPinLength": True})
    assert made.auth_data.extensions["minPinLength"] == 6
    made = register(ctap2, PARTIES[1], "max", {"minPinLength": True})
    assert "minPinLength" not in (made.auth_data.extensions or {}), "the party is not on the list"


def fingers(ctap2):
    def control(*words):
        subprocess.run(["softkey", "control", sys.argv[1], *words], check=True)

    assert ctap2.get_info().options["bioEnroll"] is False
    bio = FPBioEnrollment(ctap2, *token(ctap2, ClientPin.PERMISSION.BIO_ENROLL))
    assert bio.enumerate_enrollments() == {}
    enrolling = bio.enroll()
    assert enrolling.capture() is None
    control("finger", "too-high")
    try:
        raise AssertionError(enrolling.capture())
    except CaptureError as error:
        assert error.code == FPBioEnrollment.FEEDBACK.FP_TOO_HIGH, error.code
    control("finger", "1")
    template = None
    while template is None:
        template = enrolling.capture()
    bio.set_name(template, "thumb")
    assert bio.enumerate_enrollments() == {template: "thumb"}
    assert ctap2.get_info().options["bioEnroll"] is True and ctap2.get_info().options["uv"] is True
    permission = ClientPin.PERMISSION.GET_ASSERTION
    assert len(ClientPin(ctap2).get_uv_token(permission, PARTIES[0]["id"])) == 32
    control("finger", "2")
    refused(CtapError.ERR.UV_INVALID, ClientPin(ctap2).get_uv_token, permission, PARTIES[0]["id"])
    bio = FPBioEnrollment(ctap2, *token(ctap2, ClientPin.PERMISSION.BIO_ENROLL))
    bio.remove_enrollment(template)
    assert bio.enumerate_enrollments() == {} and ctap2.get_info().options["uv"] is False


[device] = CtapHidDevice.list_devices()
key = Ctap2(device)
ClientPin(key).set_pin(PIN)
assert key.get_info().options["clientPin"] is True
for part in (accounts, large_blobs, hmac_secret, settings, fingers):
    part(key)
    print(part.__name__, "ok", flush=True)

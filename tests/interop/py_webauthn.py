"""py_webauthn as the relying party of `softkey demo --json`: it must accept both ceremonies, and refuse them
when anything in them is changed. Usage: py_webauthn.py PATH-OF-SOFTKEY"""

import base64
import copy
import json
import subprocess
import sys

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import (
    InvalidAuthenticationResponse,
    InvalidRegistrationResponse,
)
from webauthn.helpers.structs import AttestationFormat


def demo(*arguments):
    output = subprocess.run([sys.argv[1], "demo", "--json", *arguments], check=True, capture_output=True)
    registration, authentication = map(json.loads, output.stdout.splitlines())
    assert (registration["ceremony"], authentication["ceremony"]) == ("registration", "authentication")
    return registration, authentication


def register(line, **changes):
    expected = {
        "expected_challenge": base64url_to_bytes(line["challenge"]),
        "expected_rp_id": line["rpId"],
        "expected_origin": line["origin"],
    }
    return verify_registration_response(credential=line["credential"], **(expected | changes))


def sign_in(line, registered, **changes):
    expected = {
        "expected_challenge": base64url_to_bytes(line["challenge"]),
        "expected_rp_id": line["rpId"],
        "expected_origin": line["origin"],
        "credential_public_key": registered.credential_public_key,
        "credential_current_sign_count": registered.sign_count,
    }
    return verify_authentication_response(credential=line["credential"], **(expected | changes))


def refused(exception, call, *arguments, **changes):
    try:
        call(*arguments, **changes)
    except exception:
        return
    raise AssertionError(f"accepted: {changes}")


def both_ceremonies_are_accepted():
    for arguments in [(), ("--seed", "1"), ("--seed", "2")]:
        registration, authentication = demo(*arguments)
        registered = register(registration)
        assert registered.fmt == AttestationFormat.PACKED
        assert registered.credential_id == base64url_to_bytes(registration["credentialId"])
        assert registered.credential_public_key == base64url_to_bytes(registration["publicKey"])
        assert registered.sign_count == registration["signCount"]
        signed_in = sign_in(authentication, registered)
        assert signed_in.credential_id == registered.credential_id
        assert signed_in.new_sign_count == authentication["signCount"] > registered.sign_count


def a_changed_registration_is_refused():
    registration, _ = demo()
    refused(InvalidRegistrationResponse, register, registration, expected_challenge=bytes(32))
    refused(InvalidRegistrationResponse, register, registration, expected_rp_id="example.org")
    refused(InvalidRegistrationResponse, register, registration, expected_origin="https://example.org")
    changed = copy.deepcopy(registration)
    attestation = bytearray(base64url_to_bytes(changed["attestationObject"]))
    at = attestation.index(b"sig") + 12
    attestation[at] ^= 1
    changed["credential"]["response"]["attestationObject"] = (
        base64.urlsafe_b64encode(attestation).decode().rstrip("=")
    )
    refused(InvalidRegistrationResponse, register, changed)


def a_changed_sign_in_is_refused():
    registration, authentication = demo()
    registered = register(registration)
    refused(InvalidAuthenticationResponse, sign_in, authentication, registered, expected_challenge=bytes(32))
    refused(InvalidAuthenticationResponse, sign_in, authentication, registered, expected_rp_id="example.org")
    refused(
        InvalidAuthenticationResponse,
        sign_in,
        authentication,
        registered,
        credential_current_sign_count=authentication["signCount"],
    )
    other, _ = demo()
    stranger = base64url_to_bytes(other["publicKey"])
    refused(InvalidAuthenticationResponse, sign_in, authentication, registered, credential_public_key=stranger)


tests = [both_ceremonies_are_accepted, a_changed_registration_is_refused, a_changed_sign_in_is_refused]
for test in tests:
    test()
    print(f"test py_webauthn::{test.__name__} ... ok")
print(f"test result: ok. {len(tests)} passed; 0 failed")

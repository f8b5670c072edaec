"""py_webauthn as the relying party of `softkey create` and `softkey get`: the options it writes are read, and the
responses are accepted, over CTAP2 with and without a PIN. Usage: py_webauthn_ceremonies.py PATH-OF-SOFTKEY"""

import contextlib
import json
import os
import subprocess
import sys

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

ORIGIN = "https://login.example.org"
RP_ID = "example.org"
PIN = "1234"


@contextlib.contextmanager
def key():
    arguments = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto"]
    arguments += ["--algorithms", "es256,eddsa,ml-dsa-44,ml-dsa-65,ml-dsa-87"]
    process = subprocess.Popen(
        [sys.argv[1], *arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        ready = json.loads(process.stdout.readline())
        yield ready["devices"][0].replace("udp ", "udp:")
    finally:
        process.kill()
        process.wait()


def softkey(device, *arguments, text="", pin=None):
    environment = os.environ | {"SOFTKEY_DEVICE": device} | ({"SOFTKEY_PIN": pin} if pin else {})
    done = subprocess.run(
        [sys.argv[1], *arguments], input=text, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def register(device, algorithm, conveyance, verification, resident, pin):
    options = generate_registration_options(
        rp_id=RP_ID,
        rp_name="Example",
        user_name="ada",
        attestation=conveyance,
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=verification, resident_key=resident
        ),
        supported_pub_key_algs=[algorithm],
    )
    response = softkey(device, "create", "--origin", ORIGIN, text=options_to_json(options), pin=pin)
    registered = verify_registration_response(
        credential=response,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        require_user_verification=pin is not None,
        supported_pub_key_algs=[algorithm],
    )
    return options.user.id, registered


def sign_in(device, registered, allow, verification, pin):
    options = generate_authentication_options(
        rp_id=RP_ID, allow_credentials=allow, user_verification=verification
    )
    response = softkey(device, "get", "--origin", ORIGIN, text=options_to_json(options), pin=pin)
    verify_authentication_response(
        credential=response,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=registered.credential_public_key,
        credential_current_sign_count=registered.sign_count,
        require_user_verification=pin is not None,
    )
    return json.loads(response)


def ceremonies(pin):
    verification = UserVerificationRequirement.REQUIRED if pin else UserVerificationRequirement.DISCOURAGED
    algorithms = [
        COSEAlgorithmIdentifier.ECDSA_SHA_256,
        COSEAlgorithmIdentifier.EDDSA,
        COSEAlgorithmIdentifier.ML_DSA_44,
        COSEAlgorithmIdentifier.ML_DSA_65,
        COSEAlgorithmIdentifier.ML_DSA_87,
    ]
    conveyances = {
        AttestationConveyancePreference.NONE: AttestationFormat.NONE,
        AttestationConveyancePreference.DIRECT: AttestationFormat.PACKED,
    }
    with key() as device:
        if pin:
            softkey(device, "pin", "set", pin=pin)
        for algorithm in algorithms:
            for conveyance, form in conveyances.items():
                _, registered = register(
                    device, algorithm, conveyance, verification, ResidentKeyRequirement.DISCOURAGED, pin
                )
                assert registered.fmt == form, registered.fmt
                allow = [PublicKeyCredentialDescriptor(id=registered.credential_id)]
                sign_in(device, registered, allow, verification, pin)
        user, registered = register(
            device,
            algorithms[0],
            AttestationConveyancePreference.NONE,
            verification,
            ResidentKeyRequirement.REQUIRED,
            pin,
        )
        response = sign_in(device, registered, [], verification, pin)
        assert response["response"]["userHandle"] == bytes_to_base64url(user)


ceremonies(None)
ceremonies(PIN)
print("py_webauthn accepts create and get, with and without a PIN")

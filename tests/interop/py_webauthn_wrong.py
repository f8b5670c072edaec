"""py_webauthn as the relying party of every algorithm that it and the key have in common, and of each wrong way of
`softkey create` and `softkey get`: it must refuse them but for those that README.md tells.
Usage: py_webauthn_wrong.py PATH-OF-SOFTKEY"""

import json
import subprocess
import sys

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from wrong import ORIGIN, RP_ID, judge, softkey, ways, wrong

# The wrong ways that it accepts: see README.md.
KNOWN = {
    "registration": {"cross-origin", "long-credential-id", "other-id", "registered", "top-origin"},
    "authentication": {"backup-eligible", "cross-origin", "other-id", "top-origin", "user-handle"},
}
DIRECT, NONE = AttestationConveyancePreference.DIRECT, AttestationConveyancePreference.NONE


def creation(algorithm, conveyance):
    return generate_registration_options(
        rp_id=RP_ID,
        rp_name="Example",
        user_name="ada",
        attestation=conveyance,
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.REQUIRED
        ),
        supported_pub_key_algs=[algorithm],
    )


def register(response, options, algorithm):
    return verify_registration_response(
        credential=response,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        require_user_verification=True,
        supported_pub_key_algs=[algorithm],
    )


def request(registered):
    return generate_authentication_options(
        rp_id=RP_ID,
        allow_credentials=[PublicKeyCredentialDescriptor(id=registered.credential_id)],
        user_verification=UserVerificationRequirement.REQUIRED,
    )


def sign_in(response, options, registered):
    return verify_authentication_response(
        credential=response,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=registered.credential_public_key,
        credential_current_sign_count=registered.sign_count,
        require_user_verification=True,
    )


def refused(call, *arguments):
    """Whatever it raises is a refusal."""
    try:
        call(*arguments)
    except Exception:
        return True
    return False


def right_ones():
    arguments = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto"]
    listed = ["--algorithms", "es256,eddsa,es384,es512,rs256", "--json"]
    key = subprocess.Popen(
        [sys.argv[1], *arguments, *listed], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        device = json.loads(key.stdout.readline())["devices"][0].replace("udp ", "udp:")
        environment = {"SOFTKEY_DEVICE": device, "SOFTKEY_PIN": "1234"}
        softkey("pin", "set", environment=environment)
        algorithms = [
            Algorithm.ECDSA_SHA_256,
            Algorithm.EDDSA,
            Algorithm.ECDSA_SHA_512,
            Algorithm.RSASSA_PKCS1_v1_5_SHA_256,
        ]
        for algorithm in algorithms:
            for conveyance in [NONE, DIRECT]:
                options = creation(algorithm, conveyance)
                text = options_to_json(options)
                made = softkey("create", "--origin", ORIGIN, text=text, environment=environment)
                registered = register(made, options, algorithm)
                options = request(registered)
                text = options_to_json(options)
                signed = softkey("get", "--origin", ORIGIN, text=text, environment=environment)
                sign_in(signed, options, registered)
                print(f"py_webauthn accepts {algorithm.name} with {conveyance.value}")
    finally:
        key.kill()
        key.wait()


def wrong_ones():
    verdicts = {}
    for way in ways("create")[1:]:
        algorithm = Algorithm.EDDSA if way == "algorithm" else Algorithm.ECDSA_SHA_256
        if way == "registered":
            # Somebody has it then.
            options = creation(algorithm, DIRECT)
            register(wrong("create", way, options_to_json(options)), options, algorithm)
        options = creation(algorithm, DIRECT)
        made = wrong("create", way, options_to_json(options))
        verdicts[way] = refused(register, made, options, algorithm)
    judge("py_webauthn registration", verdicts, KNOWN["registration"])

    options = creation(Algorithm.ECDSA_SHA_256, DIRECT)
    made = wrong("create", "nothing", options_to_json(options))
    registered = register(made, options, Algorithm.ECDSA_SHA_256)
    verdicts = {}
    for way in ways("get"):
        options = request(registered)
        signed = wrong("get", way, options_to_json(options))
        verdicts[way] = refused(sign_in, signed, options, registered)
    assert not verdicts.pop("nothing")
    judge("py_webauthn sign-in", verdicts, KNOWN["authentication"])


right_ones()
wrong_ones()
print("test result: ok. 2 passed; 0 failed")

"""Authenticators of other people, which `softkey info`, `create` and `get` drive: two of CTAP 2.0 alone and one of U2F
alone. They have no transport of their own, so ctaphid.py shows each over UDP; py_webauthn judges what they sign.
Usage: foreign_authenticators.py PATH-OF-SOFTKEY PYTHON-OF-THE-AUTHENTICATORS NODE..."""

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
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.structs import (
    AttestationConveyancePreference as Conveyance,
    AttestationFormat as Format,
    AuthenticatorSelectionCriteria as Criteria,
    PublicKeyCredentialDescriptor as Descriptor,
    ResidentKeyRequirement as Resident,
    UserVerificationRequirement as Verification,
)

from ctaphid import CAN_CBOR, NO_MSG, Device
from wrong import ORIGIN, RP_ID

PROGRAM, PYTHON, *NODE = sys.argv[1:]
FOLDER = os.path.dirname(os.path.abspath(__file__))


@contextlib.contextmanager
def key(words, script, capabilities):
    """The authenticator of this script, behind the program that runs it; its address."""
    command = [*words, os.path.join(FOLDER, script)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(command, message):
        print(f"{command:x} {message.hex()}", file=process.stdin, flush=True)
        return bytes.fromhex(process.stdout.readline())

    try:
        yield Device(call, capabilities).address()
    finally:
        process.kill()
        process.wait()


def softkey(device, *arguments, text=""):
    environment = os.environ | {"SOFTKEY_DEVICE": device}
    return subprocess.run(
        [PROGRAM, *arguments, "--json"], input=text, capture_output=True, text=True, env=environment, timeout=60
    )


def info(device):
    done = softkey(device, "info")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def create(device, algorithm, exclude=(), **criteria):
    options = generate_registration_options(
        rp_id=RP_ID,
        rp_name="Example",
        user_name="ada",
        attestation=Conveyance.DIRECT,
        authenticator_selection=Criteria(**criteria),
        supported_pub_key_algs=[algorithm],
        exclude_credentials=[Descriptor(id=id) for id in exclude],
    )
    return options, softkey(device, "create", "--origin", ORIGIN, text=options_to_json(options))


def registered(device, algorithm, verified, **criteria):
    options, done = create(device, algorithm, **criteria)
    assert done.returncode == 0, done.stderr
    credential = verify_registration_response(
        credential=done.stdout,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        require_user_verification=verified,
        supported_pub_key_algs=[algorithm],
    )
    return options.user.id, credential


def get(device, allow, verification):
    options = generate_authentication_options(
        rp_id=RP_ID, allow_credentials=[Descriptor(id=id) for id in allow], user_verification=verification
    )
    return options, softkey(device, "get", "--origin", ORIGIN, text=options_to_json(options))


def signed_in(device, credential, allow, verification, count=0):
    options, done = get(device, allow, verification)
    assert done.returncode == 0, done.stderr
    verified = verify_authentication_response(
        credential=done.stdout,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=credential.credential_public_key,
        credential_current_sign_count=count,
        require_user_verification=verification == Verification.REQUIRED,
    )
    return json.loads(done.stdout), verified


def fails(done, name):
    """The page has an exception of this name."""
    assert done.returncode != 0, done.stdout
    error = json.loads(done.stderr)["error"]
    assert error["name"] == name, error


def ctap2(name, address, versions, algorithms, form):
    """What any authenticator of CTAP 2.0 with user verification of its own must do."""
    told = info(address)
    assert told["info"]["versions"] == versions, told
    user, credential = None, None
    for algorithm in algorithms:
        for verification in (Verification.REQUIRED, Verification.PREFERRED):
            user, credential = registered(address, algorithm, True, user_verification=verification)
            assert credential.fmt == form, credential.fmt
            other = os.urandom(len(credential.credential_id))
            for allow in ([credential.credential_id], [other, credential.credential_id]):
                # Counters of seconds do not go up within one, so they are not compared here.
                signed_in(address, credential, allow, verification)
    _, done = create(address, algorithms[0], [credential.credential_id], user_verification=Verification.REQUIRED)
    fails(done, "InvalidStateError")
    fails(get(address, [other], Verification.REQUIRED)[1], "NotAllowedError")
    fails(create(address, Algorithm.ECDSA_SHA_512)[1], "NotSupportedError")
    print(f"{name}: {', '.join(algorithm.name for algorithm in algorithms)} and what it refuses")
    return user, credential


def keyring():
    with key([PYTHON, "-B"], "foreign_keyring.py", CAN_CBOR | NO_MSG) as address:
        algorithms = [Algorithm.ECDSA_SHA_256, Algorithm.EDDSA, Algorithm.RSASSA_PKCS1_v1_5_SHA_256]
        ctap2("ctap-keyring-device", address, ["FIDO_2_0"], algorithms, Format.PACKED)
        # It finds nothing without a list.
        fails(get(address, [], Verification.REQUIRED)[1], "NotAllowedError")


def nid():
    with key(NODE, "foreign_nid.mjs", CAN_CBOR | NO_MSG) as address:
        algorithms = [Algorithm.RSASSA_PKCS1_v1_5_SHA_256, Algorithm.EDDSA, Algorithm.ECDSA_SHA_256]
        ctap2("nid-webauthn-emulator", address, ["FIDO_2_0"], algorithms, Format.NONE)
        user, credential = registered(
            address, algorithms[-1], True, resident_key=Resident.REQUIRED, user_verification=Verification.REQUIRED
        )
        response, _ = signed_in(address, credential, [credential.credential_id], Verification.REQUIRED)
        assert response["response"]["userHandle"] == bytes_to_base64url(user)


def u2f():
    with key([PYTHON, "-B"], "foreign_u2f.py", 0) as address:
        es256, discouraged = Algorithm.ECDSA_SHA_256, Verification.DISCOURAGED
        told = info(address)
        assert told["u2fVersion"] == "U2F_V2", told
        _, credential = registered(address, es256, False, user_verification=discouraged)
        assert credential.fmt == Format.FIDO_U2F, credential.fmt
        other = os.urandom(64)
        count = credential.sign_count
        for allow in ([credential.credential_id], [other, credential.credential_id]):
            _, verified = signed_in(address, credential, allow, discouraged, count)
            count = verified.new_sign_count
        fails(get(address, [other], discouraged)[1], "NotAllowedError")
        for criteria in ({"user_verification": Verification.REQUIRED}, {"resident_key": Resident.REQUIRED}):
            fails(create(address, es256, **criteria)[1], "ConstraintError")
        fails(create(address, Algorithm.EDDSA, user_verification=discouraged)[1], "NotSupportedError")
        print("python-u2flib-host: registration, sign-ins and what U2F cannot do")


for authenticator in (keyring, nid, u2f):
    authenticator()
print("test result: ok. 3 passed; 0 failed")

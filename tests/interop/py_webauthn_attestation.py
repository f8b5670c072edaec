"""py_webauthn as a relying party that trusts the root of `softkey attestation`: its exact answer to what `softkey run
--attestation` makes in each format with each algorithm, where the root is trusted, where another one is, and where the
statement is about another client data. README.md says why it refuses what is right. Usage: py_webauthn_attestation.py
PATH-OF-SOFTKEY"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationConveyancePreference, AttestationFormat, PublicKeyCredentialDescriptor
from webauthn.helpers.tpm.structs import TPM_MANUFACTURERS, TPMManufacturerInfo

from wrong import ORIGIN, RP_ID, softkey

ES256, EDDSA, ES384, ES512, RS256 = -7, -8, -35, -36, -257
ML_DSA = [-48, -49, -50]
WITH_CERTIFIED_KEYS = [ES256, EDDSA, ES384, ES512, RS256]
ALL = [*WITH_CERTIFIED_KEYS, *ML_DSA]
NAMES = "es256,eddsa,es384,es512,rs256,ml-dsa-44,ml-dsa-65,ml-dsa-87"

NO_ES384 = "UnsupportedAlgorithm: Unrecognized EC2 signature alg -35"
INVALID = "InvalidRegistrationResponse: "
UNCHAINED = INVALID + "Certificate chain could not be validated. See __cause__ for more info "
UNSIGNED = INVALID + "Could not verify attestation statement signature "


@dataclass
class Format:
    """A format that `softkey attestation format` has and that names a root: how the library calls it, the algorithms that
    suit it, what it says where another root is trusted and of another client data, and what it refuses though it is right.
    """

    form: AttestationFormat
    algorithms: list
    other_root: str
    other_client_data: str
    refusals: dict = field(default_factory=dict)


FORMATS = {
    "packed": Format(AttestationFormat.PACKED, ALL, UNCHAINED + "(Packed)", UNSIGNED + "(Packed)"),
    "fido-u2f": Format(AttestationFormat.FIDO_U2F, [ES256], UNCHAINED + "(FIDO-U2F)", UNSIGNED + "(FIDO-U2F)"),
    "tpm": Format(
        AttestationFormat.TPM,
        [ES256, ES384, ES512, RS256],
        UNCHAINED + "(TPM)",
        INVALID + "PubArea extra data did not match hash of auth data and client data (TPM)",
    ),
    "android-key": Format(
        AttestationFormat.ANDROID_KEY,
        WITH_CERTIFIED_KEYS,
        INVALID + "x5c root certificate was not a known root certificate (Android Key)",
        UNSIGNED + "(Android Key)",
        {ES384: NO_ES384},
    ),
    "apple": Format(
        AttestationFormat.APPLE,
        WITH_CERTIFIED_KEYS,
        UNCHAINED + "(Apple)",
        INVALID + "Certificate nonce was not expected value (Apple)",
    ),
}
# It knows the makers of real TPMs alone; a site under test must add the one of FIDO's own tests.
TPM_MANUFACTURERS["id:FFFFF1D0"] = TPMManufacturerInfo(name="FIDO Alliance's tests", id="FIDO")


def root(folder, name):
    """A new root: its file, and its certificate in PEM."""
    file = os.path.join(folder, name)
    softkey("attestation", "new", "--file", file)
    return file, softkey("attestation", "export", "--file", file).encode()


@contextlib.contextmanager
def key(file, *formats):
    """A key that attests by this root and prefers these formats: its place."""
    softkey("attestation", "format", *formats, "--file", file)
    arguments = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto"]
    arguments += ["--algorithms", NAMES, "--attestation", file, "--json"]
    process = subprocess.Popen([sys.argv[1], *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        events = map(json.loads, process.stdout)
        ready = next(event for event in events if event["event"] == "ready")
        yield ready["devices"][0].replace("udp ", "udp:")
    finally:
        process.kill()
        process.wait()


def respond(word, device, options):
    """What softkey answers to options of the library, changed or not."""
    text = json.dumps(options)
    return json.loads(softkey(word, "--origin", ORIGIN, text=text, environment={"SOFTKEY_DEVICE": device}))


def registration(device, algorithm):
    """The response of a new credential, and the options that it answers."""
    options = generate_registration_options(
        rp_id=RP_ID, rp_name="Example", user_name="ada", attestation=AttestationConveyancePreference.DIRECT
    )
    # The library has no name for ES384, but takes its number.
    only = {"pubKeyCredParams": [{"type": "public-key", "alg": algorithm}]}
    return respond("create", device, json.loads(options_to_json(options)) | only), options


def with_other_client_data(response):
    """The same response over a client data of the same challenge and origin that says one thing more."""
    client_data = json.loads(base64url_to_bytes(response["response"]["clientDataJSON"])) | {"other": True}
    other = bytes_to_base64url(json.dumps(client_data).encode())
    return response | {"response": response["response"] | {"clientDataJSON": other}}


def verify(response, options, algorithm, form, certificate):
    return verify_registration_response(
        credential=response,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        supported_pub_key_algs=[algorithm],
        pem_root_certs_bytes_by_fmt={form: [certificate]},
    )


def refusal(judge, *arguments, **named):
    """The words with which the library refuses."""
    try:
        judge(*arguments, **named)
    except WebAuthnException as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("accepted")


def expect(found, expected):
    assert found == expected, f"{found!r}, and not {expected!r}"


def each_format_leads_to_the_exported_root(file, certificate, other):
    for name, of in FORMATS.items():
        with key(file, name) as device:
            for algorithm in of.algorithms:
                response, options = registration(device, algorithm)
                expect(refusal(verify, response, options, algorithm, of.form, other), of.other_root)
                rest = options, algorithm, of.form, certificate
                if why := of.refusals.get(algorithm):
                    expect(refusal(verify, response, *rest), why)
                    print(f"py_webauthn refuses {name} with {algorithm}: {why}")
                    continue
                expect(verify(response, *rest).fmt, of.form)
                expect(refusal(verify, with_other_client_data(response), *rest), of.other_client_data)
                print(f"py_webauthn accepts {name} with {algorithm}, and not with another root or client data")


def without_a_certificate_no_root_matters(file, other):
    with key(file, "none", "tpm") as device:
        for algorithm in ALL:
            response, options = registration(device, algorithm)
            expect(verify(response, options, algorithm, AttestationFormat.TPM, other).fmt, AttestationFormat.NONE)
            print(f"py_webauthn accepts none with {algorithm}")
    with key(file, "self") as device:
        for algorithm in ALL:
            response, options = registration(device, algorithm)
            rest = options, algorithm, AttestationFormat.TPM, other
            if algorithm == ES384:
                expect(refusal(verify, response, *rest), NO_ES384)
                continue
            expect(verify(response, *rest).fmt, AttestationFormat.PACKED)
            expect(refusal(verify, with_other_client_data(response), *rest), UNSIGNED + "(Packed|Self)")
            print(f"py_webauthn accepts self with {algorithm}, and not with another client data")


def compound_it_does_not_know(file, certificate):
    with key(file, "compound") as device:
        response, options = registration(device, ES256)
        why = refusal(verify, response, options, ES256, AttestationFormat.PACKED, certificate)
        expect(why, INVALID + 'Unsupported attestation type "compound"')


def es384_registers_and_cannot_sign_in(file, certificate):
    with key(file, "packed") as device:
        response, options = registration(device, ES384)
        made = verify(response, options, ES384, AttestationFormat.PACKED, certificate)
        allowed = [PublicKeyCredentialDescriptor(id=made.credential_id)]
        options = generate_authentication_options(rp_id=RP_ID, allow_credentials=allowed)
        why = refusal(
            verify_authentication_response,
            credential=respond("get", device, json.loads(options_to_json(options))),
            expected_challenge=options.challenge,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=made.credential_public_key,
            credential_current_sign_count=made.sign_count,
        )
        expect(why, NO_ES384)


with tempfile.TemporaryDirectory() as folder:
    file, certificate = root(folder, "root")
    _, other = root(folder, "other")
    each_format_leads_to_the_exported_root(file, certificate, other)
    without_a_certificate_no_root_matters(file, other)
    compound_it_does_not_know(file, certificate)
    es384_registers_and_cannot_sign_in(file, certificate)
print("test result: ok. 4 passed; 0 failed")

"""py_webauthn as a relying party that trusts the root of `softkey attestation`: it must accept what `softkey run
--attestation` makes in each format, and refuse it where another root is trusted. Usage: py_webauthn_attestation.py
PATH-OF-SOFTKEY"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile

from webauthn import generate_registration_options, options_to_json, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.exceptions import InvalidRegistrationResponse
from webauthn.helpers.structs import AttestationConveyancePreference, AttestationFormat
from webauthn.helpers.tpm.structs import TPM_MANUFACTURERS, TPMManufacturerInfo

from wrong import ORIGIN, RP_ID, softkey

ES256, EDDSA = Algorithm.ECDSA_SHA_256, Algorithm.EDDSA
RS256, ES512 = Algorithm.RSASSA_PKCS1_v1_5_SHA_256, Algorithm.ECDSA_SHA_512
# Each format that `softkey attestation format` has, and the algorithms that it is checked with.
FORMATS = {
    "packed": (AttestationFormat.PACKED, [ES256, EDDSA, ES512, RS256]),
    "fido-u2f": (AttestationFormat.FIDO_U2F, [ES256]),
    "tpm": (AttestationFormat.TPM, [ES256, RS256]),
    "android-key": (AttestationFormat.ANDROID_KEY, [ES256]),
    "apple": (AttestationFormat.APPLE, [ES256]),
}
# It knows the makers of real TPMs alone; a site under test must add the one of FIDO's own tests.
TPM_MANUFACTURERS["id:FFFFF1D0"] = TPMManufacturerInfo(name="FIDO Alliance's tests", id="FIDO")


def root(folder, name):
    """A new root: its file, and its certificate in PEM."""
    file = os.path.join(folder, name)
    softkey("attestation", "new", "--file", file)
    return file, softkey("attestation", "export", "--file", file).encode()


@contextlib.contextmanager
def key(file):
    arguments = ["run", "--transport", "udp", "--listen", "127.0.0.1:0", "--ephemeral", "--approve", "auto"]
    arguments += ["--algorithms", "es256,eddsa,es384,es512,rs256", "--attestation", file, "--json"]
    process = subprocess.Popen([sys.argv[1], *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        events = map(json.loads, process.stdout)
        ready = next(event for event in events if event["event"] == "ready")
        yield ready["devices"][0].replace("udp ", "udp:")
    finally:
        process.kill()
        process.wait()


def registration(device, algorithm):
    """The response of a new credential, and the options that it answers."""
    options = generate_registration_options(
        rp_id=RP_ID,
        rp_name="Example",
        user_name="ada",
        attestation=AttestationConveyancePreference.DIRECT,
        supported_pub_key_algs=[algorithm],
    )
    text, environment = options_to_json(options), {"SOFTKEY_DEVICE": device}
    return softkey("create", "--origin", ORIGIN, text=text, environment=environment), options


def verify(response, options, algorithm, form, certificate):
    return verify_registration_response(
        credential=response,
        expected_challenge=options.challenge,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        supported_pub_key_algs=[algorithm],
        pem_root_certs_bytes_by_fmt={form: [certificate]},
    )


def refused(*arguments):
    try:
        verify(*arguments)
    except InvalidRegistrationResponse as error:
        return str(error)
    raise AssertionError("accepted with another root")


def each_format_leads_to_the_exported_root(file, certificate, other):
    for name, (form, algorithms) in FORMATS.items():
        softkey("attestation", "format", name, "--file", file)
        with key(file) as device:
            for algorithm in algorithms:
                response, options = registration(device, algorithm)
                registered = verify(response, options, algorithm, form, certificate)
                assert registered.fmt == form, registered.fmt
                why = refused(response, options, algorithm, form, other)
                print(f"py_webauthn accepts {name} with {algorithm.name}; with another root: {why}")


def without_a_certificate_no_root_matters(file, other):
    for formats, form in [(["self"], AttestationFormat.PACKED), (["none", "tpm"], AttestationFormat.NONE)]:
        softkey("attestation", "format", *formats, "--file", file)
        with key(file) as device:
            response, options = registration(device, ES256)
            assert verify(response, options, ES256, form, other).fmt == form
            print(f"py_webauthn accepts {formats[0]}")


with tempfile.TemporaryDirectory() as folder:
    file, certificate = root(folder, "root")
    _, other = root(folder, "other")
    each_format_leads_to_the_exported_root(file, certificate, other)
    without_a_certificate_no_root_matters(file, other)
print("test result: ok. 2 passed; 0 failed")

"""Makes signatures.json, with nothing of softkey: for each COSE algorithm the public key that a seed stands for, and one
whole signature by it.

    python3 -m venv venv && venv/bin/pip install ecdsa==0.19.2 dilithium-py==1.5.1 cryptography==50.0.2
    venv/bin/python signatures.py > signatures.json

How a private key follows from a seed is softkey's own: HKDF-Expand (RFC 5869) by the name of the curve or parameter set;
for ECDSA the first expansion that is a scalar. ECDSA is deterministic (RFC 6979, the `ecdsa` package), in DER; Ed25519 is
(RFC 8032, OpenSSL's); ML-DSA is asked to be (FIPS 204, `dilithium-py`); RSASSA-PKCS1-v1_5 is (OpenSSL's). softkey finds
RSA's primes at random and keeps them, so here they are found from the seed in another way, and are given.
"""

import hashlib
import hmac
import json

import ecdsa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dilithium_py.ml_dsa import ML_DSA_44, ML_DSA_65, ML_DSA_87
from ecdsa.util import sigdecode_der, sigencode_der, sigencode_der_canonize

SEED = bytes(range(0x20, 0x40))
MESSAGE = b"authenticator data, then the hash of the client data"
CURVES = {
    "P-256": (1, ecdsa.NIST256p, hashlib.sha256),
    "P-384": (2, ecdsa.NIST384p, hashlib.sha384),
    "P-521": (3, ecdsa.NIST521p, hashlib.sha512),
    "secp256k1": (8, ecdsa.SECP256k1, hashlib.sha256),
}
SETS = {"ML-DSA-44": ML_DSA_44, "ML-DSA-65": ML_DSA_65, "ML-DSA-87": ML_DSA_87}
ALGORITHMS = [
    (-7, "ES256", "P-256"),
    (-8, "EdDSA", "Ed25519"),
    (-9, "ESP256", "P-256"),
    (-19, "Ed25519", "Ed25519"),
    (-35, "ES384", "P-384"),
    (-36, "ES512", "P-521"),
    (-47, "ES256K", "secp256k1"),
    (-48, "ML-DSA-44", "ML-DSA-44"),
    (-49, "ML-DSA-65", "ML-DSA-65"),
    (-50, "ML-DSA-87", "ML-DSA-87"),
    (-51, "ESP384", "P-384"),
    (-52, "ESP512", "P-521"),
    (-257, "RS256", "RSA"),
]


def expand(info, length):
    """HKDF-Expand with SHA-256."""
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(SEED, block + info + bytes([number]), "sha256")
        out, number = out + block, number + 1
    return out[:length]


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    size = next(size for size in (1, 2, 4) if value < 1 << 8 * size)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26}[size]]) + value.to_bytes(size, "big")


def cose_key(members):
    """A COSE_Key: its members in canonical order, integers and byte strings."""

    def item(value):
        if isinstance(value, bytes):
            return head(2, len(value)) + value
        return head(0, value) if value >= 0 else head(1, -1 - value)

    return head(5, len(members)) + b"".join(item(key) + item(value) for key, value in members.items())


def ec(alg, name):
    crv, curve, hash = CURVES[name]
    size = (curve.order.bit_length() + 7) // 8
    attempt = 0
    while True:
        bytes_ = bytearray(expand(name.encode() + attempt.to_bytes(4, "big"), size))
        bytes_[0] &= (1 << (curve.order.bit_length() - 1) % 8 + 1) - 1
        if 0 < int.from_bytes(bytes_, "big") < curve.order:
            break
        attempt += 1
    key = ecdsa.SigningKey.from_string(bytes(bytes_), curve)
    # The lower of both forms of s, as everybody has it with this curve.
    encode = sigencode_der_canonize if name == "secp256k1" else sigencode_der
    signature = key.sign_deterministic(MESSAGE, hashfunc=hash, sigencode=encode)
    assert key.verifying_key.verify(signature, MESSAGE, hash, sigdecode_der)
    point = key.verifying_key.to_string()
    return {1: 2, 3: alg, -1: crv, -2: point[:size], -3: point[size:]}, signature, {}


def ed(alg, name):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(expand(name.encode(), 32))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {1: 1, 3: alg, -1: 6, -2: public}, key.sign(MESSAGE), {}


def ml_dsa(alg, name):
    public, secret = SETS[name].key_derive(expand(name.encode(), 32))
    signature = SETS[name].sign(secret, MESSAGE, deterministic=True)
    assert SETS[name].verify(public, MESSAGE, signature)
    return {1: 7, 3: alg, -1: public}, signature, {}


def prime(name):
    """The first prime from a start of 1024 bits with both upper bits set."""
    candidate = int.from_bytes(hashlib.shake_256(name + SEED).digest(128), "big") | 3 << 1022 | 1
    while candidate % 65537 == 1 or any(pow(base, candidate - 1, candidate) != 1 for base in (2, 3, 5, 7, 11)):
        candidate += 2
    return candidate


def rs(alg, _):
    p, q = prime(b"p"), prime(b"q")
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    # This checks that both are primes.
    signature = numbers.private_key().sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    kept = p.to_bytes(128, "big") + q.to_bytes(128, "big")
    members = {1: 3, 3: alg, -1: (p * q).to_bytes(256, "big"), -2: b"\x01\x00\x01"}
    return members, signature, {"primes": kept.hex()}


vectors = []
for alg, name, kind in ALGORITHMS:
    make = ec if kind in CURVES else ml_dsa if kind in SETS else {"Ed25519": ed, "RSA": rs}[kind]
    members, signature, more = make(alg, kind)
    keys = {"alg": alg, "name": name, **more}
    vectors.append({**keys, "public_key": cose_key(members).hex(), "signature": signature.hex()})
source = "Made by signatures.py beside this file, which says how; nothing of softkey took part."
document = {"source": source, "seed": SEED.hex(), "message": MESSAGE.hex(), "vectors": vectors}
print(json.dumps(document, indent=1))

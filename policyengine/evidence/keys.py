"""Keys that sign evidence: Ed25519, and ECDSA on P-256 with SHA-256; nothing else.

A key's id is the SHA-256 of its DER SubjectPublicKeyInfo, in hexadecimal: whoever has the public key can compute it
(``openssl pkey -pubin -in KEY -outform DER | sha256sum``).

A signature has one encoding. ECDSA leaves two open, ``(r, s)`` and ``(r, n - s)``, and DER readers more: only the
minimal DER of the smaller ``s`` is taken (SEC 1 section 4.1.4 allows both; BIP 62 describes the rule), and Ed25519's
``S`` is below the group order (RFC 8032 section 5.1.7), as OpenSSL demands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from policyengine.model.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

ED25519: Final = "ed25519"
P256: Final = "ecdsa-p256"
MAX_KEY_FILE: Final = 16_384
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""FIPS 186-4 section D.1.2.3."""
_PEM: Final = re.compile(rb"\s*-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*")
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""Ed25519 points under which one signature fits many messages, without the sign bit (libsodium's table)."""


@dataclass(frozen=True)
class PublicKey:
    """A key that signatures are held against. ``kind`` is :data:`ED25519` or :data:`P256`, ``spki`` its DER."""

    keyid: str
    kind: str
    spki: bytes
    key: Any = field(repr=False, compare=False)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature``, in its one encoding, is this key's over ``message``."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            if self.kind == ED25519:
                self.key.verify(signature, message)
            elif not is_canonical(signature):
                return False
            else:
                self.key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    def pem(self) -> bytes:
        """Return the key as PEM."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        text: bytes = self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return text


def public_key(key: PublicKeyTypes, where: str) -> PublicKey:
    """Return a key of ``cryptography`` as one of ours. Raises InputError for one of another kind and for a weak one."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        if raw[:31] + bytes([raw[31] & 0x7F]) in _SMALL_ORDER:
            raise InputError(
                f"`{where}`: the key is a point of small order, under which anybody can sign", code="weak_key"
            )
        kind = ED25519
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        kind = P256
    else:
        raise InputError(
            f"`{where}` is a key of another kind ({_kind(key)}); expected Ed25519 or ECDSA P-256",
            code="wrong_key",
        )
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(hashlib.sha256(spki).hexdigest(), kind, spki, key)


def load_public(path: Path) -> PublicKey:
    """Return the public key in a PEM file. Raises InputError, also where the file holds a private key."""
    text = read_key_file(path)
    if b"PRIVATE KEY" in text:
        raise InputError(
            f"`{path}` holds a private key; --key takes the public one, which `openssl pkey -in KEY -pubout` prints",
            code="wrong_key",
        )
    return public_from_pem(text, str(path))


def public_from_pem(text: bytes, where: str) -> PublicKey:
    """Return the public key in a PEM text. Raises InputError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        if not _PEM.fullmatch(text):
            raise ValueError  # loaders find keys amid other bytes: a bundle would be read as the key that lies in it
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(
            f"`{where}` is no public key in PEM (`-----BEGIN PUBLIC KEY-----`, and nothing else)",
            code="wrong_key",
        ) from None
    return public_key(key, where)


def public_from_der(spki: bytes, where: str) -> PublicKey:
    """Return the public key of a DER SubjectPublicKeyInfo. Raises InputError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"`{where}` gave no public key", code="wrong_key") from None
    return public_key(key, where)


def by_id(keys: Iterable[PublicKey]) -> dict[str, PublicKey]:
    """Return keys by their ids."""
    return {key.keyid: key for key in keys}


def read_key_file(path: Path) -> bytes:
    """Return a key file's bytes. Raises InputError where it cannot be read or is too long for one."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_KEY_FILE + 1)
    except OSError as problem:
        raise InputError(
            f"the key `{path}` cannot be read: {(problem.strerror or 'error').lower()}", code="no_key"
        ) from None
    if len(text) > MAX_KEY_FILE:
        raise InputError(f"`{path}` is longer than {MAX_KEY_FILE:,} bytes and no key", code="wrong_key")
    return text


def low_s(signature: bytes) -> bytes:
    """Return an ECDSA P-256 signature in DER with the smaller ``s``. Raises ValueError where it is no DER."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, P256_ORDER - s))


def is_canonical(signature: bytes) -> bool:
    """Whether an ECDSA signature is minimal DER with the smaller ``s``."""
    try:
        return low_s(signature) == signature
    except (ValueError, OverflowError):
        return False


def _kind(key: Any) -> str:
    curve = getattr(getattr(key, "curve", None), "name", "")
    bits = getattr(key, "key_size", "")
    return " ".join(
        str(part)
        for part in (type(key).__name__.removesuffix("PublicKey").lstrip("_"), curve or bits)
        if part
    )

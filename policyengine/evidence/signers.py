"""Who signs: a key in a file, or one that never leaves where it is (AWS KMS), behind one protocol."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from policyengine.evidence.keys import P256, PublicKey, low_s, public_from_der, public_key, read_key_file
from policyengine.model.errors import InputError, UsageError

PRIVATE_MODE: Final = 0o600


class Signer(Protocol):
    """Signs messages; ``public`` is the key that others verify with."""

    @property
    def public(self) -> PublicKey:
        """The public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message in its one encoding (:mod:`policyengine.evidence.keys`)."""
        ...


class FileSigner:
    """Signs with a private key in a PEM file (PKCS #8; SEC 1 for P-256).

    Ed25519 and P-256 both give the same signature for the same message (RFC 8032; RFC 6979), so that a bundle exported
    twice is the same bytes. Raises InputError for a file that is no such key, or is encrypted and ``passphrase`` is None
    or wrong.
    """

    def __init__(self, path: Path, passphrase: bytes | None = None) -> None:
        self._key = _private(path, passphrase)
        self._public = public_key(self._key.public_key(), str(path))

    @property
    def public(self) -> PublicKey:
        """The public key."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message."""
        if self._public.kind != P256:
            signature: bytes = self._key.sign(message)
            return signature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        return low_s(self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))


class RemoteSigner:
    """Signs with a P-256 key that is elsewhere: ``sign`` is given a message and returns ECDSA with SHA-256 in DER.

    What comes back is held against the public key before it is used. Raises InputError for another kind of key.
    """

    def __init__(self, spki: bytes, sign: Callable[[bytes], bytes], where: str) -> None:
        self._public = public_from_der(spki, where)
        if self._public.kind != P256:
            raise InputError(f"`{where}` is a key of another kind; expected ECC_NIST_P256", code="wrong_key")
        self._sign = sign
        self._where = where

    @property
    def public(self) -> PublicKey:
        """The public key."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message. Raises InputError where what came back is none."""
        try:
            signature = low_s(self._sign(message))
        except ValueError:
            signature = b""
        if not self._public.verifies(signature, message):
            raise InputError(
                f"`{self._where}` returned a signature that its own public key does not verify",
                code="wrong_key",
            )
        return signature


def generate(kind: str, path: Path) -> PublicKey:
    """Write a new private key to ``path`` (mode 0600) and its public key to ``path`` + ``.pub``; return the public key.

    Raises UsageError where one of them exists or cannot be written: a key is never replaced.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1()) if kind == P256 else ed25519.Ed25519PrivateKey.generate()
    public = public_key(key.public_key(), str(path))
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = path.with_name(path.name + ".pub")
    if beside.exists():
        raise UsageError(f"`{beside}` exists; a key is never replaced")
    _write_new(path, text, PRIVATE_MODE)
    _write_new(beside, public.pem(), 0o644)
    return public


def _write_new(path: Path, text: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"`{path}` exists; a key is never replaced") from None
    except OSError as problem:
        raise UsageError(f"`{path}` cannot be written: {(problem.strerror or 'error').lower()}") from None


def _private(path: Path, passphrase: bytes | None) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    text = read_key_file(path)
    try:
        return load_pem_private_key(text, passphrase)
    except TypeError:
        said = (
            "is encrypted; give its passphrase"
            if passphrase is None
            else "is not encrypted; give no passphrase"
        )
        raise InputError(f"the key `{path}` {said}", code="wrong_key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(
            f"`{path}` is no private key in PEM, or its passphrase is another", code="wrong_key"
        ) from None

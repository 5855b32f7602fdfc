"""``--sign-key FILE|kms:ARN``: who signs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from policyengine.model.errors import InputError

if TYPE_CHECKING:
    from policyengine.evidence.signers import Signer

PASSPHRASE: Final = "POLICYENGINE_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
_KMS: Final = "kms:"


def signer_of(where: str) -> Signer:
    """Return the signer that ``--sign-key`` names: that of a file, or ``kms:`` and the ARN of a key. Raises InputError."""
    from policyengine.evidence.signers import RemoteSigner

    if not where.startswith(_KMS):
        return file_signer(Path(where))
    from policyengine.aws.failures import CallFailure
    from policyengine.aws.kms import KmsKey, UnfitKeyError
    from policyengine.aws.sessions import Sessions

    try:
        key = KmsKey(Sessions(), where.removeprefix(_KMS))
    except (CallFailure, UnfitKeyError) as problem:
        raise InputError(f"nothing can be signed with `{where}`: {problem}", code="wrong_key") from None

    def sign(message: bytes) -> bytes:
        try:
            return key.sign(message)
        except CallFailure as problem:
            raise InputError(f"`{where}` did not sign: {problem}", code="wrong_key") from None

    return RemoteSigner(key.spki, sign, where)


def file_signer(path: Path) -> Signer:
    """Return the signer of a private key in a PEM file, whose passphrase the environment may hold. Raises InputError."""
    from policyengine.evidence.signers import FileSigner

    phrase = os.environ.get(PASSPHRASE)
    return FileSigner(path, phrase.encode() if phrase else None)

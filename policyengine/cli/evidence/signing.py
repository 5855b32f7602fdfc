"""``--sign-key FILE|kms:ARN``: who signs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from policyengine.model.errors import InputError, UsageError

if TYPE_CHECKING:
    from policyengine.evidence.signers import Signer

KMS: Final = "kms:"
PASSPHRASE: Final = "POLICYENGINE_SIGN_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable, no secret


def signer_of(text: str, profile: str | None = None) -> Signer:
    """Return the signer that ``--sign-key`` names: a PEM file, whose passphrase is in the environment where it has one, or
    ``kms:`` and the ARN of a key or alias.

    Raises InputError where it cannot sign, UsageError for what names none.
    """
    from policyengine.evidence.signers import FileSigner, RemoteSigner

    if not text.startswith(KMS):
        given = os.environ.get(PASSPHRASE)
        return FileSigner(Path(text), given.encode() if given else None)
    from policyengine.aws.failures import CallFailure
    from policyengine.aws.kms import KmsKey, UnfitKeyError
    from policyengine.aws.sessions import Sessions

    arn = text.removeprefix(KMS)
    try:
        key = KmsKey(Sessions(profile), arn)
    except UnfitKeyError as problem:
        raise UsageError(f"--sign-key: {problem}") from None
    except CallFailure as problem:
        raise InputError(f"`{arn}` cannot be used: {problem}", code="no_key") from None

    def sign(message: bytes) -> bytes:
        try:
            return key.sign(message)
        except CallFailure as problem:
            raise InputError(f"`{arn}` did not sign: {problem}", code="no_key") from None

    return RemoteSigner(key.spki, sign, arn)

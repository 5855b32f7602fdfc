"""Signing with a key of AWS KMS: asymmetric, ECC_NIST_P256, ECDSA_SHA_256."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from policyengine.aws.failures import CallFailure, is_call_failure, read_exception
from policyengine.aws.sessions import Sessions

ALGORITHM: Final = "ECDSA_SHA_256"
_SPEC: Final = "ECC_NIST_P256"
_MAX_RAW: Final = 4096


class UnfitKeyError(Exception):
    """The key cannot sign evidence; the text says why."""


class KmsKey:
    """One key. ``arn`` is the ARN of the key or of an alias: its region is where it is asked for.

    Raises UnfitKeyError for an ARN of something else or a key of another kind, CallFailure where KMS does not answer.
    """

    def __init__(self, sessions: Sessions, arn: str) -> None:
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "kms" or not parts[3]:
            raise UnfitKeyError(f"`{arn}` is no ARN of a KMS key (`arn:aws:kms:REGION:ACCOUNT:key/ID`)")
        self.arn = arn
        self._account, self._region = parts[4], parts[3]
        self._client = sessions.client(sessions.base, "kms", self._region)
        answer = self._ask("GetPublicKey", KeyId=arn)
        # the older name of the same member, which stands beside it
        spec = answer.get("KeySpec") or answer.get("CustomerMasterKeySpec")
        if spec != _SPEC or ALGORITHM not in answer.get("SigningAlgorithms", ()):
            raise UnfitKeyError(
                f"`{arn}` is a key of spec {spec} for {answer.get('KeyUsage')}; expected {_SPEC} for SIGN_VERIFY"
            )
        self.spki: bytes = answer["PublicKey"]
        """DER SubjectPublicKeyInfo."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message, DER. Raises CallFailure.

        KMS hashes a message of up to 4096 bytes itself (MessageType RAW); of a longer one it is given the digest
        (https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html).
        """
        short = len(message) <= _MAX_RAW
        answer = self._ask(
            "Sign",
            KeyId=self.arn,
            Message=message if short else hashlib.sha256(message).digest(),
            MessageType="RAW" if short else "DIGEST",
            SigningAlgorithm=ALGORITHM,
        )
        signature: bytes = answer["Signature"]
        return signature

    def _ask(self, operation: str, **given: Any) -> dict[str, Any]:
        method = {"GetPublicKey": self._client.get_public_key, "Sign": self._client.sign}[operation]
        try:
            answer: dict[str, Any] = method(**given)
        except Exception as problem:
            if not is_call_failure(problem):
                raise
            raise CallFailure(
                f"kms:{operation}", *read_exception(problem), self._account, self._region
            ) from None
        return answer

"""DSSE envelopes, version 1 (https://github.com/secure-systems-lab/dsse/blob/master/protocol.md).

The protocol lets readers ignore much: other members, signatures of keys they do not know, how base64 is padded. Here an
envelope is a function of its content: canonical JSON, one signature, canonical base64, one encoding of the signature.
Nothing of it can be changed without breaking it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policyengine.evidence.canonical import decode, encode
from policyengine.evidence.keys import PublicKey
from policyengine.evidence.problems import SCHEMA, SIGNATURE, BundleError, Problem
from policyengine.evidence.signers import Signer

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_ENVELOPE: Final = 1 << 20
_MAX_NAMED: Final = 80


class Opened(NamedTuple):
    """An envelope whose signature was verified: what was signed, and by which of the given keys."""

    payload: bytes
    key: PublicKey


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, signer: Signer) -> bytes:
    """Return the envelope of an in-toto statement."""
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    return encode(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": signer.public.keyid, "sig": base64.b64encode(signature).decode()}],
        }
    )


def open_envelope(data: bytes, keys: Mapping[str, PublicKey], where: str) -> Opened:
    """Return what an envelope says, when one of ``keys`` (by id) signed it.

    Raises BundleError: of kind ``schema`` for what is no envelope in its one form, ``signature`` for one that none of
    the given keys signed.
    """
    payload, keyid, signature = _parts(data, where)
    key = keys.get(keyid)
    if key is None:
        given = ", ".join(f"{known[:16]}…" for known in sorted(keys)) or "none"
        raise _error(
            SIGNATURE,
            where,
            f"it is signed by the key `{keyid[:_MAX_NAMED]}`, which was not given (given: {given})",
        )
    if not key.verifies(signature, pae(PAYLOAD_TYPE, payload)):
        raise _error(SIGNATURE, where, f"the signature is not one of the key {keyid[:16]}… over this content")
    return Opened(payload, key)


def unverified_payload(data: bytes, where: str) -> bytes:
    """Return what an envelope says, whoever signed it. Raises BundleError for what is no envelope."""
    return _parts(data, where)[0]


def _parts(data: bytes, where: str) -> tuple[bytes, str, bytes]:
    try:
        envelope = decode(data, most=MAX_ENVELOPE)
    except ValueError as problem:
        raise _error(SCHEMA, where, f"the envelope cannot be read: {problem}") from None
    if not isinstance(envelope, dict) or set(envelope) != {"payload", "payloadType", "signatures"}:
        raise _error(
            SCHEMA, where, "an envelope has `payload`, `payloadType` and `signatures`, and nothing else"
        )
    signatures = envelope["signatures"]
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise _error(SCHEMA, where, f"`payloadType` is another than `{PAYLOAD_TYPE}`")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise _error(SCHEMA, where, "an envelope of ours has exactly one signature")
    one = signatures[0]
    if not isinstance(one, dict) or set(one) != {"keyid", "sig"} or not isinstance(one["keyid"], str):
        raise _error(SCHEMA, where, "a signature has `keyid` and `sig`, and nothing else")
    return _base64(envelope["payload"], "payload", where), one["keyid"], _base64(one["sig"], "sig", where)


def _base64(text: Any, name: str, where: str) -> bytes:
    """Standard alphabet, padded, no stray bits in the last digit: one text for the same bytes."""
    try:
        if isinstance(text, str):
            value = base64.b64decode(text.encode("ascii"), validate=True)
            if base64.b64encode(value).decode() == text:
                return value
    except (binascii.Error, UnicodeEncodeError):
        pass
    raise _error(SCHEMA, where, f"`{name}` is no base64 in its one form (RFC 4648 section 3.5)")


def _error(kind: str, where: str, text: str) -> BundleError:
    return BundleError(Problem(kind, where, text))

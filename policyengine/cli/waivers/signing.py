"""Signatures of approvers: DSSE over the canonical JSON of a waiver (RFC 8785), by the key of whoever approved it.

The signature is detached: the entry is the payload, and ``signature`` holds the key's id and the signature in base64.
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from policyengine.config.waivers import Waiver
from policyengine.config.waivers_reader import Verify
from policyengine.model.errors import ConfigError
from policyengine.model.people import person

if TYPE_CHECKING:
    from policyengine.evidence.keys import PublicKey
    from policyengine.evidence.signers import Signer

PAYLOAD_TYPE: Final = "application/vnd.policyengine.waiver.v1+json"


def message_of(waiver: Waiver) -> bytes:
    """Return what the approver of a waiver signs. Raises ConfigError for one whose text has no canonical form."""
    from policyengine.evidence.canonical import encode
    from policyengine.evidence.dsse import pae

    try:
        return pae(PAYLOAD_TYPE, encode(waiver.signed()))
    except ValueError as problem:
        raise ConfigError(f"waiver {waiver.id} cannot be signed: {problem}") from None


def sign(waiver: Waiver, signer: Signer) -> dict[str, str]:
    """Return the ``signature`` of a waiver."""
    signature = signer.sign(message_of(waiver))
    return {"keyid": signer.public.keyid, "sig": base64.b64encode(signature).decode()}


def verifier(approvers: Mapping[str, Sequence[str]], folder: Path) -> Verify:
    """Return what says why a waiver is not signed by its approver. Raises ConfigError for a key that cannot be read."""
    from policyengine.evidence.keys import load_public
    from policyengine.model.errors import InputError

    keys: dict[str, dict[str, PublicKey]] = {}
    for name, files in approvers.items():
        own = keys.setdefault(person(name), {})
        for file in files:
            try:
                key = load_public(folder / file)
            except InputError as problem:
                raise ConfigError(f"the key of the approver `{name}`: {problem.message}") from None
            own[key.keyid] = key

    def verify(waiver: Waiver) -> str:
        own = keys.get(person(waiver.approver))
        if not own:
            return f"no key of {waiver.approver} is configured"
        return _why_not(waiver, own)

    return verify


def _why_not(waiver: Waiver, keys: Mapping[str, PublicKey]) -> str:
    if waiver.signature is None:
        return f"{waiver.approver} has not signed it"
    key = keys.get(waiver.signature["keyid"])
    if key is None:
        return f"it is signed by a key that is not {waiver.approver}'s"
    try:
        signature = base64.b64decode(waiver.signature["sig"].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return "its signature is no base64"
    if not key.verifies(signature, message_of(waiver)):
        return f"{waiver.approver} has signed something else: it was changed since"
    return ""

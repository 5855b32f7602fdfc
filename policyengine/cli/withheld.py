"""The secret that withheld values are salted with: a private file beside what has the values (decision 16)."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from policyengine.evidence.manifest import STATEMENT_FILE
from policyengine.model.canonical_json import canonical
from policyengine.model.errors import InputError, UsageError
from policyengine.model.withheld import Plan, Withholding

FILE: Final = "withheld.json"
"""In the folder of a snapshot that was signed, and of a run: the plan and the secret."""
PRIVATE_MODE: Final = 0o600
_PURPOSE: Final = b"policyengine withheld values v1\0"


def new_withholding(plan: Plan, context: bytes, key: Path | None = None) -> Withholding:
    """Return the plan with a secret for ``context`` alone, made from the redaction key: whoever has that comes to the
    same again. Raises InputError where there is none."""
    from policyengine.cli.live.redaction_key import redaction_key

    return Withholding(plan, hmac.new(redaction_key(key), _PURPOSE + context, sha256).digest())


def shown_manifest(data: bytes) -> bytes:
    """Return the manifest of a snapshot as it is signed and shown where values are withheld: without digests and sizes of
    its parts, which have these values. Whoever knows all the others could try one after the other against a digest.

    Raises InputError for what is no manifest.
    """
    try:
        about = json.loads(data)
        for part in about["parts"]:
            part.pop("sha256", None)
            part.pop("bytes", None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError("the snapshot's `manifest.json` cannot be read") from None
    return canonical(about) + b"\n"


def shown_id(run: str, withholding: Withholding) -> str:
    """Return the id of a run that withholds values: its own may be a hash over them."""
    return hmac.new(withholding.secret, run.encode(), sha256).hexdigest()[: len(run)]


def write_private(folder: Path, withholding: Withholding) -> None:
    """Write plan and secret to a folder, for the user alone, in place of what was there. Raises OSError."""
    text = json.dumps({"plan": withholding.plan.to_json(), "secret": withholding.secret.hex()}, indent=1)
    place, work = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text + "\n")
    work.replace(place)


def read_private(folder: Path) -> Withholding | None:
    """Return what :func:`write_private` wrote to a folder; None where it wrote nothing. Raises InputError."""
    place = folder / FILE
    try:
        about: Any = json.loads(place.read_bytes())
        return Withholding(Plan.from_json(about["plan"]), bytes.fromhex(about["secret"]))
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise InputError(
            f"`{place}` cannot be read: {(problem.strerror or 'error').lower()}; it has the secret that values are "
            "withheld with"
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f"`{place}` is damaged: expected the plan and the secret that values are withheld with"
        ) from None


def withholding_of_run(
    plan: Plan | None, sources: Iterable[Any], run: str, key: Path | None = None
) -> Withholding | None:
    """Return what a run withholds; ``run`` is its id. None where that is nothing.

    A population that was signed was signed over lines without what was withheld then: that plan holds, with its secret.
    Raises UsageError where the configuration says another, or two snapshots do; InputError where a file is damaged.
    """
    signed = [folder for source in sources if (folder := _signed_folder(source)) is not None]
    found = [(folder, read_private(folder)) for folder in signed]
    for folder, withholding in found:
        own = None if withholding is None else withholding.plan.to_json()
        if plan is not None and own != plan.to_json():
            raise UsageError(
                f"the population of `{folder}` was signed with {_said(withholding)}; the configuration withholds otherwise: "
                f"sign it again (`policyengine snapshot sign {folder}`), or scan it with the configuration of then"
            )
    secrets = {None if w is None else (w.secret, json.dumps(w.plan.to_json())) for _, w in found}
    if len(secrets) > 1:
        names = " and ".join(f"`{folder}`" for folder, _ in found[:2])
        raise UsageError(
            f"{names} were signed with values withheld each in its own way: a run can keep only one; scan one after the other"
        )
    if found:
        return found[0][1]
    return None if plan is None else new_withholding(plan, run.encode(), key)


def unmet_notes(withholding: Withholding) -> list[str]:
    """Return a note for what ``evidence.withhold`` names and nothing has: whoever wrote it believes it is withheld."""
    names = withholding.unmet()
    if not names:
        return []
    text = (
        f"`evidence.withhold` names {', '.join(names)}, which nothing here has: nothing is withheld by it; pointers and keys of "
        "tags are compared letter by letter, as AWS spells them"
    )
    return [text]


def _signed_folder(source: Any) -> Path | None:
    """The folder of a snapshot that is copied as it is, and whose population was signed."""
    manifest: Path | None = getattr(source, "manifest", None)
    if manifest is None or getattr(source, "redaction_key", None) is None:
        return None
    return manifest.parent if (manifest.parent / STATEMENT_FILE).is_file() else None


def _said(withholding: Withholding | None) -> str:
    if withholding is None:
        return f"nothing withheld, or its `{FILE}` is missing"
    plan = withholding.plan.to_json()
    names = [
        *(f"{type_} {pointer}" for type_, each in plan["properties"].items() for pointer in each),
        *plan["tags"],
    ]
    return f"{', '.join(names[:5])}{', …' if len(names) > 5 else ''} withheld"

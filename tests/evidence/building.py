"""Small bundles of true shape, for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from policyengine.evidence.bundle_writer import CSV, JSON, BundleWriter
from policyengine.evidence.dsse import seal
from policyengine.evidence.manifest import ROLE_POPULATION, ROLE_RESULTS, ROLE_STATEMENT, Fields, Head
from policyengine.evidence.signers import FileSigner, Signer
from policyengine.evidence.statement import Collected, Root, population_statement
from policyengine.model.canonical_json import canonical
from policyengine.model.merkle import root_of
from policyengine.model.withheld import Plan, Withholding
from policyengine.store.actions import Note
from policyengine.store.chain import START, link

RULES_OF = {"AWS::EC2::VPC": ["c", "d"], "AWS::S3::Bucket": ["a", "b"], "AWS::SQS::Queue": []}
FIELDS = Fields(
    {"id": "run-1", "as_of": "2026-11-21T09:00:00Z", "complete": True},
    {"name": "policyengine", "version": "1.0"},
    {"digest": "sha256:" + "0" * 64, "rules": 2},
    ({"id": "aws-fsbp"},),
)
PLAN = Plan({"AWS::S3::Bucket": ("/Secret",)}, ("owner",))
SECRET = b"0123456789abcdef0123456789abcdef"


@cache
def _key_text(kind: str, number: int) -> bytes:
    if kind == "p256":
        key: Any = ec.derive_private_key(0x1234567 + number, ec.SECP256R1())
    else:
        key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32)
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text


def signer(folder: Path, kind: str = "ed25519", number: int = 0) -> FileSigner:
    """A signer whose key is always the same."""
    path = folder / f"{kind}-{number}.pem"
    path.write_bytes(_key_text(kind, number))
    return FileSigner(path)


def bucket(number: int, account: str = "111122223333") -> bytes:
    """A line of a snapshot."""
    return canonical(
        {"type": "AWS::S3::Bucket", "id": f"bucket-{number:07}", "account": account, "region": "eu-west-1",
         "tags": {"owner": f"team-{number % 3}", "env": "prod"},
         "properties": {"Secret": f"s{number % 5}", "Tags": [{"Key": "owner", "Value": f"team-{number % 3}"}]}}
    )  # fmt: skip


def row(number: int, account: str = "111122223333") -> bytes:
    """A row of results."""
    verdicts = "PF" if number % 2 else "PN"
    details = [{"rule": "b", "reason": "", "message": "…", "evidence": []}] if number % 2 else []
    return canonical(
        {"account": account, "arn": None, "details": details, "id": f"bucket-{number:07}", "location": None,
         "region": "eu-west-1", "type": "AWS::S3::Bucket", "verdicts": verdicts}
    )  # fmt: skip


def journal(number: int = 3) -> bytes:
    """The lines of a journal."""
    notes = [
        Note(f"2026-11-21T09:00:0{n}Z", f"action-{n}", "PLANNED", {"plan": f"sha256:{n}"})
        for n in range(number)
    ]
    return b"".join(canonical(entry._asdict()) + b"\n" for entry in link(START, notes))


def build(
    path: Path,
    signed_by: Signer,
    *,
    size: int = 4,
    previous: Head | None = None,
    withholding: Withholding | None = None,
    disclose: bool = True,
    collector: Signer | None = None,
    run_id: str = "run-1",
    more: Mapping[str, bytes] | None = None,
) -> Head:
    """Write a bundle of ``size`` resources in two inputs and return its head."""
    with BundleWriter(path, withholding=withholding, disclose=disclose) as bundle:
        half = size // 2
        for number, numbers in (("0001", range(half)), ("0002", range(half, size))):
            folder = f"snapshot/{number}"
            manifest = canonical({"version": "1.0", "input": number})
            bundle.add_bytes(f"{folder}/manifest.json", manifest, "snapshot-manifest", JSON)
            with bundle.lines(f"{folder}/resources/a.ndjson.gz", ROLE_POPULATION) as part:
                lines = [bucket(n) for n in numbers]
                part.write_lines(lines)
            if collector is not None:
                leaves = [withholding.committed(line) for line in lines] if withholding else lines
                collected = Collected(
                    Root(root_of(leaves).hex(), len(lines)),
                    hashlib.sha256(manifest).hexdigest(),
                    "2026-11-21T09:00:00Z",
                )
                envelope = seal(population_statement(collected), collector)
                bundle.add_bytes(f"{folder}/population.dsse.json", envelope, ROLE_STATEMENT, JSON)
        with (
            bundle.add("population/0001.csv", "population-csv", CSV) as table,
            bundle.lines("results/0001.ndjson.gz", ROLE_RESULTS) as rows,
        ):
            for n in range(size):
                rows.write_line(row(n))
                table.write(b"bucket-%07d,PASS\n" % n)
        for name, data in (more or {}).items():
            bundle.add_bytes(name, data, "other", JSON)
        bundle.add_bytes("run/run.json", canonical({"rules_of": RULES_OF}), "run", JSON)
        bundle.add_bytes("remediation/actions.ndjson", journal(), "journal", "application/x-ndjson")
        fields = Fields({**FIELDS.run, "id": run_id}, FIELDS.engine, FIELDS.rule_pack, FIELDS.frameworks)
        return bundle.finish(fields, signed_by, previous=previous)

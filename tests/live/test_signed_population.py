"""``snapshot --live --sign-key``: signed when collection ends, by a key of KMS, and still so in the bundle at the end."""

from __future__ import annotations

import base64
import json
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import commands, populate, server
from tests.live.conftest import _free_port

pytest.importorskip("moto")

REGION = "eu-west-1"
RULES = ("s3-tls-only", "kms-key-rotation")
LIVE = ["--live", "--regions", REGION, "--rate", "10000", *commands.rules(RULES)]
CONFIG = "evidence: {withhold: {properties: {'AWS::KMS::Key': [/Description]}}}\n"
FAST = ("--without", "html", "--without", "xlsx", "--without", "well-architected")


class World:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        clients = populate.Clients(endpoint)
        s3, kms = (clients(name, REGION) for name in ("s3", "kms"))
        s3.create_bucket(Bucket="logs-4711", CreateBucketConfiguration={"LocationConstraint": REGION})
        made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Description="Project Nightjar")
        self.arn = made["KeyMetadata"]["Arn"]
        self.spki: bytes = kms.get_public_key(KeyId=self.arn)["PublicKey"]

    def pem(self) -> str:
        body = base64.encodebytes(self.spki).decode().replace("\n", "")
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with server.running(_free_port()) as endpoint:
        yield World(endpoint)


def statement(folder: Path) -> dict[str, Any]:
    envelope = json.loads((folder / "population.dsse.json").read_text())
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return found


@pytest.mark.slow
def test_a_population_is_signed_by_kms_and_holds_in_both_bundles(world: World, tmp_path: Path) -> None:
    def run(*given: str, code: int = 0) -> str:
        ended = commands.run(world.endpoint, tmp_path, *given)
        assert ended.code == code, ended.err + ended.out
        return ended.out

    folder = tmp_path / "snapshot"
    (tmp_path / "policyengine.yaml").write_text(CONFIG)
    config = ("--config", str(tmp_path / "policyengine.yaml"))
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    run("snapshot", *LIVE, "-q", "--sign-key", f"kms:{world.arn}", *config, "-o", str(folder))
    after = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    said = statement(folder)["predicate"]
    assert before <= said["collected_at"] <= after
    assert said["collected_at"] >= json.loads((folder / "manifest.json").read_text())["created"]
    assert stat.S_IMODE((folder / "withheld.json").stat().st_mode) == 0o600

    (tmp_path / "collector.pub").write_text(world.pem())
    key = str(tmp_path / "key")
    run("evidence", "keygen", key)
    kept = commands.run(
        world.endpoint, tmp_path, "scan", str(folder), *config, "-q", "-o", str(tmp_path / "kept")
    )
    assert kept.code in (0, 1), kept.err
    for name, more in (("full", ()), ("redacted", ("--redact",))):
        bundle = str(tmp_path / f"{name}.zip")
        run("evidence", "export", str(tmp_path / "kept"), "--sign-key", key, *FAST, *more, "-o", bundle)
        collector = ("--collector-key", str(tmp_path / "collector.pub"))
        told = run("evidence", "verify", bundle, "--key", f"{key}.pub", *collector)
        assert f"snapshot/0001: as it was signed at {said['collected_at']} by" in told
        assert "the same results root" in run("evidence", "replay", bundle, "--key", f"{key}.pub", *collector)
        run("evidence", "verify", bundle, "--key", f"{key}.pub", "--collector-key", f"{key}.pub", code=11)
    shown = [content(tmp_path / name) for name in ("full.zip", "redacted.zip")]
    assert [b"Project Nightjar" in text for text in shown] == [True, False]


def content(bundle: Path) -> bytes:
    import gzip

    with zipfile.ZipFile(bundle) as opened:
        found = {name: opened.read(name) for name in opened.namelist()}
    return b"".join(gzip.decompress(text) if name.endswith(".gz") else text for name, text in found.items())


@pytest.mark.slow
def test_a_new_snapshot_in_its_place_is_not_signed_by_the_old_statement(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    for more, signed in ((("--sign-key", f"kms:{world.arn}"), True), ((), False)):
        ended = commands.run(world.endpoint, tmp_path, "snapshot", *LIVE, "-q", *more, "-o", str(folder))
        assert ended.code == 0, ended.err
        assert (folder / "population.dsse.json").exists() == signed
        assert not (folder / "withheld.json").exists()


def test_a_key_that_cannot_sign_is_told_before_anything_is_collected(world: World, tmp_path: Path) -> None:
    wrong = world.arn.rsplit("/", 1)[0] + "/00000000-0000-0000-0000-000000000000"
    for given in (f"kms:{wrong}", str(tmp_path / "nothing.pem")):
        ended = commands.run(
            world.endpoint, tmp_path, "snapshot", *LIVE, "--sign-key", given, "-o", str(tmp_path / "snapshot")
        )
        assert ended.code == 2, ended.err
        assert not (tmp_path / "snapshot").exists()


def test_a_configuration_without_a_signature_is_refused(world: World, tmp_path: Path) -> None:
    ended = commands.run(
        world.endpoint, tmp_path, "snapshot", *LIVE, "--config", "x.yaml", "-o", str(tmp_path / "snapshot")
    )
    assert (ended.code, "it goes with --sign-key" in ended.err) == (2, True), ended.err

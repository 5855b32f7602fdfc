"""Signing with AWS KMS: moto makes real keys and real signatures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.aws.kms import KmsKey, UnfitKeyError
from policyengine.aws.sessions import Sessions
from policyengine.cli.evidence.signing import signer_of
from policyengine.evidence.dsse import open_envelope
from policyengine.evidence.keys import ED25519, by_id, is_canonical
from policyengine.evidence.signers import RemoteSigner, generate
from policyengine.evidence.statement import read_population_statement
from policyengine.evidence.verify import verify_bundle
from policyengine.model.errors import InputError
from tests.evidence.building import build
from tests.live import commands


def key_arn(aws: Callable[..., Any], spec: str = "ECC_NIST_P256", usage: str = "SIGN_VERIFY") -> str:
    arn: str = aws("kms", "eu-west-1").create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    return arn


def test_a_bundle_signed_by_kms(aws: Callable[..., Any], tmp_path: Path) -> None:
    key = KmsKey(Sessions(), key_arn(aws))
    signer = RemoteSigner(key.spki, key.sign, key.arn)
    path = tmp_path / "bundle.zip"
    build(path, signer, collector=signer)
    assert verify_bundle(path, [signer.public]) == []
    for number in range(20):
        assert is_canonical(signer.sign(b"%d" % number)), "the smaller s, whatever KMS returns"


@pytest.mark.parametrize(("spec", "usage"), [("ECC_NIST_P384", "SIGN_VERIFY"), ("RSA_2048", "SIGN_VERIFY")])
def test_keys_of_another_kind(aws: Callable[..., Any], spec: str, usage: str) -> None:
    with pytest.raises(UnfitKeyError, match="expected ECC_NIST_P256"):
        KmsKey(Sessions(), key_arn(aws, spec, usage))


def test_a_key_that_does_not_answer(aws: Callable[..., Any]) -> None:
    with pytest.raises(CallFailure, match="kms:GetPublicKey: NotFoundException"):
        KmsKey(Sessions(), "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    "arn", ["", "key", "arn:aws:s3:::bucket", "arn:aws:kms::123456789012:key/x", "alias/x"]
)
def test_what_is_no_key(arn: str) -> None:
    with pytest.raises(UnfitKeyError, match="no ARN of a KMS key"):
        KmsKey(Sessions(), arn)


def test_a_long_message_goes_as_its_digest(aws: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """moto hashes whatever it is given, so what is sent is looked at (botocore holds it against the service's model)."""
    key = KmsKey(Sessions(), key_arn(aws))
    sent: list[dict[str, Any]] = []
    key._client.meta.events.register(
        "provide-client-params.kms.Sign", lambda params, **_: sent.append(params)
    )
    for size in (4096, 4097):
        key.sign(b"x" * size)
    assert [(len(one["Message"]), one["MessageType"]) for one in sent] == [(4096, "RAW"), (32, "DIGEST")]
    assert sent[1]["Message"] == hashlib.sha256(b"x" * 4097).digest()
    assert {one["SigningAlgorithm"] for one in sent} == {"ECDSA_SHA_256"}


def test_what_sign_key_names(
    aws: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = key_arn(aws)
    by_kms = signer_of(f"kms:{arn}")
    assert by_kms.public.verifies(by_kms.sign(b"m"), b"m")
    with pytest.raises(InputError, match="no ARN of a KMS key"):
        signer_of("kms:alias/x")
    with pytest.raises(InputError, match=r"nothing can be signed with .*kms:GetPublicKey: NotFoundException"):
        signer_of(f"kms:{arn[:-4]}0000")
    monkeypatch.setattr(KmsKey, "sign", refuse)
    with pytest.raises(InputError, match=r"did not sign: kms:Sign: DisabledException"):
        by_kms.sign(b"m")
    path = tmp_path / "key.pem"
    public = generate(ED25519, path)
    assert signer_of(str(path)).public == public


def refuse(self: KmsKey, message: bytes) -> bytes:
    """What KMS answers for a disabled key."""
    raise CallFailure("kms:Sign", "unsupported", "DisabledException", "is disabled")


def test_a_snapshot_signed_when_collection_ends(
    moto_server: str, aws: Callable[..., Any], tmp_path: Path
) -> None:
    """The key is asked for before anything is collected; the population is that of the snapshot."""
    key_arn(aws, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    public = generate(ED25519, tmp_path / "key.pem")
    collect = [
        "snapshot",
        "--live",
        "--regions",
        "eu-west-1",
        "--rule",
        "kms-key-rotation",
        "-o",
        str(tmp_path / "snapshot"),
    ]
    ended = commands.run(moto_server, tmp_path, *collect, "--sign-key", str(tmp_path / "absent.pem"))
    assert ended.code == 2
    assert "cannot be read" in ended.err
    assert not (tmp_path / "snapshot").exists()
    ended = commands.run(moto_server, tmp_path, *collect, "--sign-key", str(tmp_path / "key.pem"))
    assert ended.code in (0, 4), ended.err
    folder = tmp_path / "snapshot"
    opened = open_envelope((folder / "population.dsse.json").read_bytes(), by_id([public]), "x")
    said = read_population_statement(opened.payload, "x")
    manifest = (folder / "manifest.json").read_bytes()
    assert said.manifest_sha256 == hashlib.sha256(manifest).hexdigest()
    assert said.population.count == sum(part["resources"] for part in json.loads(manifest)["parts"]) > 0

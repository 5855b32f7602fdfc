"""Keys, signatures and envelopes: another implementation verifies them, and each has one encoding."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from policyengine.cli.evidence.signing import PASSPHRASE, file_signer
from policyengine.evidence import standalone
from policyengine.evidence.canonical import encode
from policyengine.evidence.dsse import PAYLOAD_TYPE, open_envelope, pae, seal
from policyengine.evidence.keys import (
    _SMALL_ORDER,
    ED25519,
    P256,
    P256_ORDER,
    by_id,
    is_canonical,
    load_public,
    low_s,
    public_from_pem,
)
from policyengine.evidence.problems import SCHEMA, SIGNATURE, BundleError
from policyengine.evidence.signers import FileSigner, RemoteSigner, generate
from policyengine.evidence.statement import (
    Collected,
    Root,
    bundle_statement,
    population_statement,
    read_bundle_statement,
    read_population_statement,
)  # fmt: skip
from policyengine.model.errors import InputError, UsageError
from tests.evidence.building import signer

KINDS = ["ed25519", "p256"]
ROOTS = Root("b" * 64, 5), Root("c" * 64, 4), Root("d" * 64, 3)
PAYLOAD = bundle_statement("a" * 64, *ROOTS)


def test_pae_of_the_specification() -> None:
    """https://github.com/secure-systems-lab/dsse/blob/master/protocol.md#test-vectors"""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sealed_is_opened_with_the_given_key_alone(kind: str, tmp_path: Path) -> None:
    ours, other = signer(tmp_path, kind), signer(tmp_path, kind, 1)
    envelope = seal(PAYLOAD, ours)
    opened = open_envelope(envelope, by_id([other.public, ours.public]), "x")
    assert (opened.payload, opened.key) == (PAYLOAD, ours.public)
    assert envelope == seal(PAYLOAD, ours), "the same bytes every time"
    for keys in ([], [other.public]):
        with pytest.raises(BundleError, match="was not given") as refused:
            open_envelope(envelope, by_id(keys), "x")
        assert refused.value.problem.kind == SIGNATURE
    with pytest.raises(BundleError, match="not one of the key"):
        open_envelope(envelope, {ours.public.keyid: other.public}, "x")


@pytest.mark.parametrize("kind", KINDS)
def test_securesystemslib_verifies_our_envelopes(kind: str, tmp_path: Path) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse")
    key_of = pytest.importorskip("securesystemslib.signer").SSlibKey.from_crypto
    ours = signer(tmp_path, kind)
    envelope = dsse.Envelope.from_dict(json.loads(seal(PAYLOAD, ours)))
    key = key_of(ours.public.key, keyid=ours.public.keyid)
    assert envelope.payload == PAYLOAD
    assert list(envelope.verify([key], 1)) == [ours.public.keyid]
    envelope.payload += b" "
    with pytest.raises(Exception, match="Accepted signatures do not match"):
        envelope.verify([key], 1)


def malformed(envelope: bytes) -> dict[str, bytes]:
    """Envelopes that lenient readers take for the same."""
    value = json.loads(envelope)
    one = value["signatures"][0]
    signature = base64.b64decode(one["sig"])
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed: dict[str, Any] = {
        "another member": {**value, "note": 1},
        "another member of the signature": {**value, "signatures": [{**one, "cert": ""}]},
        "two signatures": {**value, "signatures": [one, {"keyid": "0" * 64, "sig": one["sig"]}]},
        "the same signature twice": {**value, "signatures": [one, one]},
        "no signature": {**value, "signatures": []},
        "another payload type": {**value, "payloadType": "application/json"},
        "url-safe alphabet": {
            **value,
            "signatures": [{**one, "sig": base64.urlsafe_b64encode(b"\xff" * 64).decode()}],
        },
        "no padding": {**value, "signatures": [{**one, "sig": one["sig"].rstrip("=")}]},
        "white space in base64": {**value, "payload": value["payload"][:4] + "\n" + value["payload"][4:]},
        "signature as a number": {**value, "signatures": [{**one, "sig": 5}]},
        "key id as null": {**value, "signatures": [{**one, "keyid": None}]},
        "not base64": {**value, "payload": "ä"},
    }
    found = {name: encode(other) for name, other in changed.items()}
    stray = one["sig"].rstrip("=")
    if stray != one["sig"]:
        last = digits[digits.index(stray[-1]) ^ 1]
        other = stray[:-1] + last + one["sig"][len(stray) :]
        assert base64.b64decode(other) == signature, "the bits are ignored by Python's decoder"
        found["stray bits"] = encode({**value, "signatures": [{**one, "sig": other}]})
    found["white space"] = json.dumps(value, sort_keys=True).encode()
    found["another order"] = json.dumps(
        {"signatures": value["signatures"], **value}, separators=(",", ":")
    ).encode()
    found["a line feed"] = envelope + b"\n"
    found["a name twice"] = envelope.replace(b'{"payload":', b'{"payload":"","payload":', 1)
    found["nothing"] = b""
    found["a list"] = b"[]"
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_an_envelope_has_one_text(kind: str, tmp_path: Path) -> None:
    ours = signer(tmp_path, kind)
    keys = by_id([ours.public])
    cases = malformed(seal(PAYLOAD, ours))
    assert "stray bits" in cases or kind == "p256"
    for name, text in cases.items():
        with pytest.raises(BundleError) as refused:
            open_envelope(text, keys, "x")
        assert refused.value.problem.kind == SCHEMA, name


@pytest.mark.parametrize("kind", KINDS)
def test_every_bit_of_an_envelope_counts(kind: str, tmp_path: Path) -> None:
    ours = signer(tmp_path, kind)
    keys = by_id([ours.public])
    envelope = seal(PAYLOAD, ours)
    for at in range(len(envelope)):
        for bit in (1, 32):
            changed = bytearray(envelope)
            changed[at] ^= bit
            with pytest.raises(BundleError):
                open_envelope(bytes(changed), keys, "x")


def resealed(envelope: bytes, signature: bytes) -> bytes:
    value = json.loads(envelope)
    value["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return encode(value)


def test_ecdsa_has_one_encoding(tmp_path: Path) -> None:
    """(r, n - s) is as valid a signature as (r, s), and OpenSSL verifies it: it is refused here."""
    ours = signer(tmp_path, "p256")
    envelope = seal(PAYLOAD, ours)
    signature = base64.b64decode(json.loads(envelope)["signatures"][0]["sig"])
    r, s = decode_dss_signature(signature)
    twin = encode_dss_signature(r, P256_ORDER - s)
    ours.public.key.verify(twin, pae(PAYLOAD_TYPE, PAYLOAD), ec.ECDSA(hashes.SHA256()))
    assert low_s(twin) == signature
    key = tmp_path / "key.pub"
    key.write_bytes(ours.public.pem())
    theirs = standalone.key_ids([str(key)])
    assert standalone.check_signature(envelope, "x", theirs) == (PAYLOAD, True)
    long_form = signature[:1] + b"\x81" + signature[1:]
    zero = b"\x30" + bytes([signature[1] + 1]) + b"\x02" + bytes([signature[3] + 1]) + b"\x00" + signature[4:]
    for other in (
        twin,
        long_form,
        zero,
        signature + b"\x00",
        b"",
        b"\x30\x00",
        encode_dss_signature(0, 0),
        encode_dss_signature(r, 0),
    ):
        with pytest.raises(BundleError) as refused:
            open_envelope(resealed(envelope, other), by_id([ours.public]), "x")
        assert refused.value.problem.kind == SIGNATURE
        with pytest.raises(standalone.Wrong, match="not one of the given key"):
            standalone.check_signature(resealed(envelope, other), "x", theirs)


def test_signatures_of_ours_are_low_whatever_the_message(tmp_path: Path) -> None:
    ours = signer(tmp_path, "p256")
    for number in range(32):
        signature = ours.sign(b"%d" % number)
        assert is_canonical(signature)
        assert standalone.one_encoding(signature)


def test_ed25519_has_one_encoding(tmp_path: Path) -> None:
    """S + L is the same scalar (RFC 8032 section 5.1.7 has verifiers refuse it)."""
    ours = signer(tmp_path)
    envelope = seal(PAYLOAD, ours)
    signature = ours.sign(pae(PAYLOAD_TYPE, PAYLOAD))
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    for other in (signature[:32] + s.to_bytes(32, "little"), signature + b"\0", signature[:-1], b""):
        with pytest.raises(BundleError) as refused:
            open_envelope(resealed(envelope, other), by_id([ours.public]), "x")
        assert refused.value.problem.kind == SIGNATURE


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def doubled(x: int, y: int) -> tuple[int, int]:
    """The twisted Edwards addition of RFC 8032 section 5.1.4, of a point to itself."""
    product = D * x * x * y * y % P
    return 2 * x * y * pow(1 + product, -1, P) % P, (y * y + x * x) * pow(1 - product, -1, P) % P


def test_the_points_of_small_order_are_those() -> None:
    for raw in _SMALL_ORDER:
        y = int.from_bytes(raw, "little") % P
        square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
        x = pow(square, (P + 3) // 8, P)
        if (x * x - square) % P:
            x = x * pow(2, (P - 1) // 4, P) % P
        assert (x * x - square) % P == 0, "a point of the curve"
        for _ in range(3):
            x, y = doubled(x, y)
        assert (x, y) == (0, 1), "eight times it is the neutral element"


def pem_of(key: Any) -> bytes:
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text


def test_weak_and_other_keys_are_refused(tmp_path: Path) -> None:
    weak = [ed25519.Ed25519PublicKey.from_public_bytes(raw) for raw in _SMALL_ORDER]
    for key in weak:
        with pytest.raises(InputError, match="small order"):
            public_from_pem(pem_of(key), "x")
    others = {
        "RSA": rsa.generate_private_key(65537, 2048).public_key(),
        "secp384r1": ec.generate_private_key(ec.SECP384R1()).public_key(),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()).public_key(),
        "Ed448": ed448.Ed448PrivateKey.generate().public_key(),
    }
    for name, other in others.items():
        with pytest.raises(InputError, match=f"another kind.*{name}"):
            public_from_pem(pem_of(other), "x")
    private = tmp_path / "private.pem"
    generate(ED25519, private)
    with pytest.raises(InputError, match="holds a private key"):
        load_public(private)
    (tmp_path / "no.pem").write_bytes(b"hello")
    with pytest.raises(InputError, match="no public key"):
        load_public(tmp_path / "no.pem")
    (tmp_path / "long.pem").write_bytes(b"x" * 100_000)
    with pytest.raises(InputError, match="longer than"):
        load_public(tmp_path / "long.pem")
    with pytest.raises(InputError, match="cannot be read"):
        load_public(tmp_path / "absent.pem")


@pytest.mark.parametrize("kind", [ED25519, P256])
def test_keys_are_made_private_and_never_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    public = generate(kind, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert FileSigner(path).public == public == load_public(tmp_path / "key.pem.pub")
    assert public.verifies(FileSigner(path).sign(b"m"), b"m")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="never replaced"):
        generate(kind, path)
    (tmp_path / "key.pem.pub").unlink()
    with pytest.raises(UsageError, match="never replaced"):
        generate(kind, path)
    assert path.read_bytes() == before


def test_an_encrypted_key_wants_its_passphrase(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right")))
    assert FileSigner(path, b"right").public.kind == ED25519
    for passphrase, says in ((None, "is encrypted"), (b"wrong", "passphrase is another")):
        with pytest.raises(InputError, match=says):
            FileSigner(path, passphrase)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(InputError, match="not encrypted"):
        FileSigner(path, b"right")


def test_the_environment_holds_the_passphrase_and_an_empty_one_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"right")))
    monkeypatch.setenv(PASSPHRASE, "right")
    keyid = file_signer(path).public.keyid
    monkeypatch.setenv(PASSPHRASE, "")
    with pytest.raises(InputError, match="is encrypted"):
        file_signer(path)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert file_signer(path).public.keyid == keyid


def test_a_key_elsewhere_is_not_believed(tmp_path: Path) -> None:
    ours, other = signer(tmp_path, "p256"), signer(tmp_path, "p256", 1)
    with pytest.raises(InputError, match="does not verify"):
        RemoteSigner(ours.public.spki, other.sign, "kms").sign(b"m")
    with pytest.raises(InputError, match="does not verify"):
        RemoteSigner(ours.public.spki, lambda _: b"no der", "kms").sign(b"m")
    with pytest.raises(InputError, match="another kind"):
        RemoteSigner(signer(tmp_path).public.spki, lambda _: b"", "kms")


def test_statements_are_read_as_they_are_written() -> None:
    assert read_bundle_statement(PAYLOAD, "x") == ("a" * 64, *ROOTS)
    collected = Collected(Root("a" * 64, 3), "b" * 64, "2026-11-21T09:00:00Z")
    assert read_population_statement(population_statement(collected), "x") == collected


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(predicateType="https://example.com"),
        lambda v: v.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda v: v.update(more=1),
        lambda v: v["subject"].reverse(),
        lambda v: v["subject"].pop(),
        lambda v: v["subject"][0].update(uri="x"),
        lambda v: v["subject"][0]["digest"].update(sha512="x"),
        lambda v: v["subject"][1].update(digest={"sha256": "b" * 64}),
        lambda v: v["predicate"].update(population=True),
        lambda v: v["predicate"].update(population=-1),
        lambda v: v["predicate"].update(more=1),
        lambda v: v.update(predicate=[]),
        lambda v: v.update(subject=5),
    ],
)
def test_other_statements_are_refused(change: Any) -> None:
    value = json.loads(PAYLOAD)
    change(value)
    with pytest.raises(BundleError) as refused:
        read_bundle_statement(encode(value), "x")
    assert refused.value.problem.kind == SCHEMA
    with pytest.raises(BundleError):
        read_population_statement(PAYLOAD, "x")


@pytest.mark.parametrize("around", [b"%s\n\0", b"PK\3\4%s", b"text\n%s", b"%s%s", b"%stext"])
def test_a_key_amid_other_bytes_is_no_key(tmp_path: Path, around: bytes) -> None:
    """Loaders of PEM skip what is around it: a bundle given as its own key would verify itself."""
    text = signer(tmp_path).public.pem()
    path = tmp_path / "key.pub"
    path.write_bytes(around.replace(b"%s", text))
    with pytest.raises(InputError, match="no public key"):
        load_public(path)
    with pytest.raises(standalone.Wrong, match="no public key"):
        standalone.key_ids([str(path)])
    path.write_bytes(b"\n" + text.replace(b"\n", b"\r\n"))
    assert list(standalone.key_ids([str(path)])) == [load_public(path).keyid]

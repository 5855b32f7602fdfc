"""Logs in S3, read from a real server over HTTP."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shadow_ai.helpers import lines, record

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    pytest.importorskip("moto")
    from policyengine.testing.moto_server import running

    with running() as endpoint:
        yield {
            **os.environ, "PYTHONPATH": str(ROOT), "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip


@pytest.fixture(scope="module")
def bucket(environment: dict[str, str]) -> Any:
    import botocore.session

    client = botocore.session.Session().create_client(
        "s3", region_name="us-east-1", endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id="testing", aws_secret_access_key="testing",
    )  # fmt: skip
    client.create_bucket(Bucket="logs")
    for number in (0, 1, 2):
        key = f"AWSLogs/111122223333/vpcdnsquerylogs/vpc-1/2026/{number:04d}.log.gz"
        body = b"" if number == 1 else gzip.compress(lines([record(srcaddr=f"10.0.0.{number}")]))
        client.put_object(Bucket="logs", Key=key, Body=body)
    client.put_object(
        Bucket="logs", Key="big/one.log", Body=lines(record(srcport=str(n)) for n in range(20_000))
    )
    client.put_object(Bucket="logs", Key="cut/one.log.gz", Body=gzip.compress(lines([record()] * 500))[:-30])
    client.put_object(Bucket="logs", Key="cut/two.log", Body=lines([record()]))
    return client


def run(environment: dict[str, str], *arguments: str) -> tuple[int, dict[str, Any] | None, str]:
    command = [sys.executable, "-m", "policyengine", "shadow-ai", *arguments, "--format", "json"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=180)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr.decode()


def test_a_prefix(environment: dict[str, str], bucket: Any) -> None:
    code, found, err = run(environment, "s3://logs/AWSLogs/")
    assert (code, err) == (0, "")
    assert found is not None and found["services"][0]["queries"] == 2
    assert [s["address"] for s in found["services"][0]["sources"]] == ["10.0.0.0", "10.0.0.2"]


@pytest.mark.slow
def test_more_objects_than_a_page_of_a_listing(environment: dict[str, str], bucket: Any) -> None:
    for number in range(1003):
        body = lines([record(srcaddr=f"10.0.1.{number % 9}")])
        bucket.put_object(Bucket="logs", Key=f"many/{number:04d}", Body=body)
    code, found, _ = run(environment, "s3://logs/many/")
    assert code == 0
    assert found is not None and found["coverage"]["records"] == 1003


def test_one_large_object(environment: dict[str, str], bucket: Any) -> None:
    code, found, _ = run(environment, "s3://logs/big/one.log")
    assert code == 0
    assert found is not None and found["coverage"]["records"] == 20_000


def test_an_object_that_is_cut_off_is_an_error_and_the_next_is_read(
    environment: dict[str, str], bucket: Any
) -> None:
    code, found, _ = run(environment, "s3://logs/cut/")
    assert code == 4
    assert found is not None
    assert [e["file"] for e in found["errors"]] == ["s3://logs/cut/one.log.gz"]
    assert found["services"][0]["queries"] >= 1


@pytest.mark.parametrize(
    ("target", "words"),
    [("s3://nobody-has-this/", "NoSuchBucket"), ("s3://logs/nothing/", "no object is below it")],
)
def test_what_is_not_there(environment: dict[str, str], bucket: Any, target: str, words: str) -> None:
    code, found, err = run(environment, target)
    assert (code, found) == (2, None)
    assert words in err and "Traceback" not in err


def test_no_credentials(environment: dict[str, str]) -> None:
    without = {
        k: v for k, v in environment.items() if k not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    code, found, err = run(without, "s3://logs/AWSLogs/")
    assert (code, found) == (2, None)
    assert "NoCredentialsError" in err

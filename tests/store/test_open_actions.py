"""What an argument names, and what is said where it names nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from policyengine.store.actions import StoreError
from policyengine.store.dynamo_actions import DynamoActions
from policyengine.store.open_actions import open_store
from policyengine.store.sqlite_actions import SqliteActions
from tests.store.conftest import Tables
from tests.store.model import note


def test_a_path(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "new" / "actions.db"))
    assert isinstance(store, SqliteActions) and store.path.is_file()
    with pytest.raises(StoreError, match="does not exist"):
        open_store(str(tmp_path / "other.db"), create=False)


def test_a_table_by_the_credentials_of_the_environment(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tables.new()
    assert isinstance(open_store(where), DynamoActions)
    assert open_store(where).note(note()).seq == 1
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert open_store(where.partition("@")[0]).head()[0] == 1
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert open_store(where.partition("@")[0], region="eu-west-1").head()[0] == 1
    with pytest.raises(StoreError, match="no region is configured for the table"):
        open_store(where.partition("@")[0])


@pytest.mark.parametrize(
    "where",
    [
        "",
        "dynamodb:",
        "dynamodb:ab",
        "dynamodb:a/b/c",
        "dynamodb:table@",
        "dynamodb:table@Narnia",
        "dynamodb:t t t",
    ],
)
def test_what_names_nothing(where: str) -> None:
    with pytest.raises(StoreError, match="expected"):
        open_store(where)


def test_no_credentials(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(
        StoreError, match=r"the table `actions` in eu-west-1 cannot be read or written: .*credentials"
    ):
        open_store("dynamodb:actions@eu-west-1").read_flag("f")


def test_a_profile_that_does_not_exist(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(StoreError, match="cannot be re"):
        open_store("dynamodb:actions@eu-west-1").read_flag("f")


def test_a_file_does_not_load_botocore(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom policyengine.store.open_actions import open_store\n"
        f"open_store({str(tmp_path / 'a.db')!r}).head()\nprint(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "policyengine.store.sqlite_actions" in loaded
    assert not {"botocore", "policyengine.aws.account", "policyengine.store.dynamo_table"} & set(loaded)

"""Files that are not ours, are damaged or full are refused and left as they are."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policyengine.store.actions import ConflictError, StoreError, UnfitError
from policyengine.store.chain import verify
from policyengine.store.sqlite_actions import SqliteActions
from tests.store.model import action, note


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "actions.db"


def filled(path: Path, actions: int = 40) -> None:
    store = SqliteActions(path)
    for n in range(actions):
        store.claim(action(f"act-{n}", f"k{n}", reason="x" * 500), note(f"act-{n}"), until=1.0, now=0.0)
    store.close()


def test_it_is_the_users_alone(path: Path) -> None:
    filled(path, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["actions.db"]


def sql(*statements: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        connection = sqlite3.connect(path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        path.chmod(0o600)

    return make


def text(path: Path) -> None:
    path.write_text("rules: []\n" * 200)
    path.chmod(0o600)


def ours(*statements: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        filled(path, 3)
        sql(*statements)(path)

    return make


REFUSED = [
    ("a text", text, "no file of remediations"),
    ("another database", sql("CREATE TABLE t (a)"), "another database"),
    ("another empty database", sql("PRAGMA user_version = 7"), "another database"),
    ("a newer one", ours("PRAGMA user_version = 2"), "version 2; expected 1"),
    ("a trigger", ours("CREATE TRIGGER t AFTER INSERT ON keys BEGIN DELETE FROM keys; END"), "the tables"),
    ("a table less", ours("DROP TABLE leases"), "the tables"),
    ("others may read it", lambda p: (filled(p, 1), p.chmod(0o644)), "chmod 600"),
    ("others may write it", lambda p: (filled(p, 1), p.chmod(0o660)), "chmod 600"),
    ("others may write its folder", lambda p: (filled(p, 1), p.parent.chmod(0o777)), "a folder of its own"),
    ("a folder", lambda p: p.mkdir(), "expected a regular file"),
    ("a link", lambda p: p.symlink_to(p.with_name("other")), "expected a regular file"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "says"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_refused_is_left_as_it_is(path: Path, make: Callable[[Path], object], says: str) -> None:
    path.parent.mkdir(mode=0o700)
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=says):
        SqliteActions(path)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not path.with_name("other").exists()


def test_a_missing_file_may_be_asked_not_to_be_made(path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        SqliteActions(path, create=False)
    assert not path.parent.exists()


def test_a_file_that_was_just_created_is_made_ours(path: Path) -> None:
    """What a process leaves that is killed between creating the file and its first transaction."""
    path.parent.mkdir(mode=0o700)
    path.touch(0o600)
    filled(path, 1)
    assert SqliteActions(path).get("act-0").version == 1


def test_damage_is_found_on_opening(path: Path) -> None:
    """Each page of the file in turn is overwritten, cut off, or has a byte changed in its header."""
    filled(path)
    whole = path.read_bytes()
    pages = len(whole) // 4096
    assert pages > 10
    for page in range(1, pages):
        at = page * 4096
        for damaged in (
            whole[:at] + b"\xff" * 4096 + whole[at + 4096 :],
            whole[:at],
            whole[: at + 3] + bytes((whole[at + 3] ^ 0x55, whole[at + 4] ^ 0x55)) + whole[at + 5 :],
        ):
            path.write_bytes(damaged)
            with pytest.raises(StoreError, match="damaged"):
                SqliteActions(path)
            assert path.read_bytes() == damaged


def test_a_row_that_is_no_record_is_named(path: Path) -> None:
    filled(path, 2)
    sql("UPDATE actions SET doc = '{}' WHERE id = 'act-1'")(path)
    store = SqliteActions(path)
    assert store.get("act-0").id == "act-0"
    with pytest.raises(StoreError, match=r"the action act-1 in .* is damaged"):
        store.get("act-1")
    sql("UPDATE journal SET body = '{' WHERE seq = 2")(path)
    with pytest.raises(StoreError, match="entry 2 of the journal"):
        list(store.journal())


def test_tampering_in_the_file_is_found_by_its_journal(path: Path) -> None:
    filled(path, 5)
    store = SqliteActions(path)
    assert verify(store.journal(), head=store.head()) is None
    sql("DELETE FROM journal WHERE seq = 5")(path)
    problem = verify(store.journal(), head=store.head())
    assert problem is not None and (problem.seq, problem.kind) == (5, "end")
    sql("""UPDATE journal SET body = '{"other":1}' WHERE seq = 2""")(path)
    problem = verify(store.journal(), head=store.head())
    assert problem is not None and (problem.seq, problem.kind) == (2, "changed")


def test_a_full_disk_leaves_what_was_there(path: Path) -> None:
    """SQLite's own bound on pages gives the error of a full disk (https://www.sqlite.org/pragma.html#pragma_max_page_count)."""
    filled(path, 5)
    store = SqliteActions(path)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    old = store.get("act-0")
    with pytest.raises(StoreError, match="no room"):
        store.save(
            old.moved("locked", old.updated_at, pre_image={"a": "x" * 50_000}), [note("act-0", "locked")]
        )
    assert store.get("act-0") == old
    assert store.head()[0] == 5 and verify(store.journal(), head=store.head()) is None
    store._connection.execute("PRAGMA max_page_count = 100000")
    saved = store.save(old.moved("locked", old.updated_at), [note("act-0", "locked")])
    assert store.get("act-0") == saved and store.head()[0] == 6


def test_a_file_that_may_not_grow_at_any_point_of_a_write(path: Path) -> None:
    """The system refuses to write beyond a size, in turn in the journal, in each page and at the end of the commit."""
    resource = pytest.importorskip("resource")
    filled(path, 5)
    store = SqliteActions(path)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    failed = 0
    for more in range(0, 160_000, 2_000):
        old, head = store.get("act-0"), store.head()
        new = old.moved("locked", old.updated_at, pre_image={"a": "x" * 40_000, "n": more})
        resource.setrlimit(resource.RLIMIT_FSIZE, (more, hard))
        try:
            saved = store.save(new, [note("act-0", "locked")])
        except StoreError as problem:
            assert "cannot be read or written" in str(problem)
            saved = None
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        failed += saved is None
        assert store.get("act-0") == (saved or old)
        assert store.head()[0] == head[0] + (saved is not None)
        assert verify(store.journal(), head=store.head()) is None
    assert 20 < failed < 80
    store.close()
    assert SqliteActions(path).get("act-0").pre_image is not None


def test_a_writer_that_does_not_end_is_waited_for_and_named(path: Path) -> None:
    filled(path, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store = SqliteActions(path, wait=0.2)
    with pytest.raises(StoreError, match=r"other processes have been writing to .* for 0\.2 seconds"):
        store.note(note())
    other.execute("ROLLBACK")
    assert store.note(note()).seq == 2


def test_what_is_no_json_is_refused_before_anything_is_written(path: Path) -> None:
    store = SqliteActions(path)
    new = action("act-1")
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    for bad in ({"a": {1}}, {"a": float("nan")}, {"a": b"x"}, {1: "a", "1": "b"}, deep):
        with pytest.raises(UnfitError):
            store.claim(action("act-1", plan=bad), note("act-1"), until=1.0, now=0.0)
        with pytest.raises(UnfitError):
            store.claim(new, note("act-1", bad=bad), until=1.0, now=0.0)
        with pytest.raises(UnfitError):
            store.write_flag("f", {"bad": bad}, was=None)
    for odd in ("", "a b", "ü", "x" * 129, "a/b"):
        with pytest.raises(UnfitError, match="no id"):
            store.claim(action(odd), note(), until=1.0, now=0.0)
    for at in ("yesterday", "2026-11-21T09:00:00", ""):
        with pytest.raises(UnfitError):
            store.claim(action("act-1", updated_at=at), note(), until=1.0, now=0.0)
    with pytest.raises(UnfitError, match="surrogate"):
        store.lease("1/r/T/\ud800", "me", seconds=1, now=0.0)
    assert list(store.find()) == [] and store.head()[0] == 0
    assert store.claim(new, note("act-1"), until=1.0, now=0.0).version == 1


def test_an_id_is_not_used_twice(path: Path) -> None:
    store = SqliteActions(path)
    store.claim(action("act-1", "k1"), note(), until=1.0, now=0.0)
    with pytest.raises(ConflictError, match="with another key"):
        store.claim(action("act-1", "k2"), note(), until=1.0, now=0.0)
    assert store.head()[0] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on POSIX only")
def test_a_forked_process_has_a_connection_of_its_own(path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from policyengine.store.sqlite_actions import SqliteActions
from tests.store.model import note
store = SqliteActions(Path({str(path)!r}))
store.note(note())
mine = store._connection
child = os.fork()
for _ in range(50):
    store.note(note())
if child == 0:
    os._exit(0 if store._connection is not mine else 3)
assert os.waitpid(child, 0)[1] == 0
print(store.head()[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "101"
    store = SqliteActions(path)
    assert verify(store.journal(), head=store.head()) is None


def test_it_loads_nothing_heavy() -> None:
    code = "import sys\nimport policyengine.store.sqlite_actions\nprint(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "sqlite3" in loaded
    assert not loaded & {
        "boto3",
        "botocore",
        "pydantic",
        "yaml",
        "rich",
        "asyncio",
        "policyengine.aws.account",
    }

"""The file of results: private, bounded, shared, and never in the way."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from policyengine.engine.kept import file as kept_file
from policyengine.engine.kept.file import NAME, ResultFile, Row, name_of, number_of

LINE, STATE = b"l" * 16, b"t" * 16
TEXTS = {name_of(text): text for text in (b"stamps", b"shape")}
RULES, SHAPE = TEXTS


def row(number: int, size: int = 10) -> Row:
    return Row(LINE, RULES, SHAPE, STATE, b"[%d]" % number, b"x" * size)


def filled(folder: Path, number: int = 3, size: int = 10) -> ResultFile:
    file = ResultFile(folder)
    for n in range(number):
        file.put(n, row(n, size), TEXTS)
    file.pause()
    return file


def problem(folder: Path) -> str:
    """Return why a file is not used; it must then know nothing, keep nothing and change nothing."""
    path = folder / NAME
    before = path.read_bytes() if path.is_file() else None
    file = ResultFile(folder)
    file.put(1, row(1), TEXTS)
    assert file.get(1) is None
    assert file.text(RULES) is None
    file.close()
    assert (path.read_bytes() if path.is_file() else None) == before
    assert file.problem is not None
    return file.problem


def test_what_is_kept_is_there_in_the_next_run(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    file = ResultFile(tmp_path / "kept")
    assert [file.get(n) for n in range(4)] == [row(0), row(1), row(2), None]
    assert {name: file.text(name) for name in TEXTS} == TEXTS
    file.close()
    assert file.problem is None


def test_only_its_user_may_enter(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        filled(tmp_path / "new" / "kept")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new" / "kept").stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new" / "kept").iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_may_enter_is_not_used(tmp_path: Path, mode: int) -> None:
    filled(tmp_path / "kept")
    (tmp_path / "kept").chmod(mode)
    assert "others may enter or read the folder (its mode must be 0700)" in problem(tmp_path / "kept")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    filled(tmp_path / "theirs")
    (tmp_path / "kept").mkdir(mode=0o700)
    (tmp_path / "kept" / NAME).symlink_to(tmp_path / "theirs" / NAME)
    assert "not kept in" in problem(tmp_path / "kept")


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o700)
    (tmp_path / "kept" / NAME).write_text("these are my notes, and long enough to be one page\n" * 100)
    (tmp_path / "kept" / NAME).chmod(0o600)
    assert "file is not a database" in problem(tmp_path / "kept")


def _sql(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / NAME)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o700)
    _sql(tmp_path / "kept", "CREATE TABLE kept (id INTEGER)")
    (tmp_path / "kept" / NAME).chmod(0o600)
    assert "is no file of results" in problem(tmp_path / "kept")


def test_another_version_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    _sql(tmp_path / "kept", "PRAGMA user_version = 99")
    assert "is of another version" in problem(tmp_path / "kept")


def test_a_damaged_database_is_noted_or_gives_nothing_wrong(tmp_path: Path) -> None:
    filled(tmp_path / "kept", 400, 200)
    path = tmp_path / "kept" / NAME
    whole = path.read_bytes()
    for at in range(100, len(whole), 997):
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 0x55,)) + whole[at + 1 :])
        file = ResultFile(tmp_path / "kept")
        for number in range(400):
            assert file.get(number) in (row(number, 200), None)
        file.put(7, row(7), TEXTS)
        file.close()
        for beside in ("-wal", "-shm"):
            path.with_name(NAME + beside).unlink(missing_ok=True)


def test_a_row_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    _sql(
        tmp_path / "kept",
        "UPDATE kept SET body = CAST('[9]' AS BLOB) WHERE id = 1",
        "UPDATE kept SET told = 5 WHERE id = 2",
    )
    file = ResultFile(tmp_path / "kept")
    assert [file.get(n) for n in range(3)] == [row(0), None, None]
    assert file.problem is None


def test_a_text_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    _sql(
        tmp_path / "kept", "UPDATE texts SET text = CAST('shapes' AS BLOB) WHERE text = CAST('shape' AS BLOB)"
    )
    file = ResultFile(tmp_path / "kept")
    assert (file.text(RULES), file.text(SHAPE)) == (b"stamps", None)
    assert file.problem is None


def test_a_row_that_moves_is_the_same_under_another_state(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    file = ResultFile(tmp_path / "kept")
    moved = row(1)._replace(state=b"u" * 16)
    file.move(1, moved, {name_of(b"state"): b"state"})
    file.move(9, row(9), {})  # another run gave it up meanwhile
    file.close()
    again = ResultFile(tmp_path / "kept")
    assert [again.get(n) for n in (0, 1, 2, 9)] == [row(0), moved, row(2), None]
    assert again.text(name_of(b"state")) == b"state"


def test_a_row_that_another_run_wrote_meanwhile_does_not_move(tmp_path: Path) -> None:
    filled(tmp_path / "kept")
    one, other = ResultFile(tmp_path / "kept"), ResultFile(tmp_path / "kept")
    one.put(1, row(1)._replace(body=b"[other]"), TEXTS)
    one.close()
    other.move(1, row(1)._replace(state=b"u" * 16), {})
    other.close()
    assert ResultFile(tmp_path / "kept").get(1) is None


def test_many_rows_of_one_account_and_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [number_of(("111122223333", "us-east-1", "AWS::S3::Bucket", f"b{n}")) for n in range(9)]
    assert len({number >> 40 for number in numbers}) == 1
    assert len(set(numbers)) == 9
    file = ResultFile(tmp_path / "kept")
    for n, number in enumerate(numbers):
        file.put(number, row(n), TEXTS)
    file.close()
    for most in (9, 8):
        monkeypatch.setattr(kept_file, "MOST_LOADED", most)
        file = ResultFile(tmp_path / "kept")
        assert [file.get(number) for number in numbers] == [row(n) for n in range(9)]


def test_texts_that_no_row_names_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "kept")
    file = ResultFile(tmp_path / "kept")
    for n in range(10):
        text = b"state %d" % n
        file.move(1, row(1)._replace(state=name_of(text)), {name_of(text): text})
        file.flush()
    monkeypatch.setattr(kept_file, "MOST_TEXTS", 10)
    file.close()
    again = ResultFile(tmp_path / "kept")
    assert again.text(name_of(b"state 9")) == b"state 9"
    assert again.text(name_of(b"state 8")) is None
    assert again.text(SHAPE) == b"shape"


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    file = filled(tmp_path / "kept", 300, 2_000)
    _sql(tmp_path / "kept", "UPDATE kept SET used = used - 30 WHERE id < 200")
    file = ResultFile(tmp_path / "kept", most_bytes=500_000)
    assert file.get(5) is not None  # used again today
    file.close()
    assert sum(p.stat().st_size for p in (tmp_path / "kept").iterdir()) < 600_000
    left = [n for n in range(300) if ResultFile(tmp_path / "kept").get(n) is not None]
    assert 5 in left
    assert 299 in left
    assert len(left) < 160
    assert not set(range(6, 150)) & set(left)


def test_two_runs_at_once(tmp_path: Path) -> None:
    one, other = ResultFile(tmp_path / "kept"), ResultFile(tmp_path / "kept")
    for n in range(50):
        one.put(n, row(n), TEXTS)
        other.put(n + 25, row(n + 25), TEXTS)
        (one if n % 2 else other).flush()
    one.close()
    other.close()
    assert (one.problem, other.problem) == (None, None)
    again = ResultFile(tmp_path / "kept")
    assert all(again.get(n) == row(n) for n in range(75))


def test_a_run_that_may_not_write_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path / "kept")
    monkeypatch.setattr(kept_file, "WAIT", 0.05)
    blocker = sqlite3.connect(tmp_path / "kept" / NAME)
    blocker.execute("BEGIN IMMEDIATE")
    file = ResultFile(tmp_path / "kept")
    assert file.get(1) == row(1)
    file.put(9, row(9), TEXTS)
    file.close()
    assert "locked" in (file.problem or "")
    blocker.rollback()


def test_a_forked_process_opens_the_file_for_itself(tmp_path: Path) -> None:
    file = filled(tmp_path / "kept")
    assert file.get(0) == row(0)
    file.pause()
    child = os.fork()
    if not child:
        ok = file.get(1) == row(1)
        file.put(8, row(8), TEXTS)
        file.pause()
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert file.get(8) == row(8)

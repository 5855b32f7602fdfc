"""The file of history against a plain reading of all runs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.history.adding import take_run
from policyengine.history.controls import controls_of
from policyengine.history.database import FORMAT, open_history
from policyengine.history.reading import History
from policyengine.model.errors import InputError
from tests.history.made import ACCOUNT, RULES, TYPE, Made, MadeRun, counts, episodes, finding, letters_of

PLACES = [(region, id_) for region in ("eu-west-1", "us-east-1") for id_ in ("vol-1", "vol-2", "vol-3")]
LETTERS = st.text(st.sampled_from("PFUN"), min_size=len(RULES), max_size=len(RULES))


@st.composite
def runs(draw: st.DrawFn) -> list[Made]:
    return [
        Made(
            day,
            draw(st.dictionaries(st.sampled_from(PLACES), LETTERS, max_size=len(PLACES))),
            draw(st.frozensets(st.sampled_from(("eu-west-1", "us-east-1")))),
        )
        for day in range(1, draw(st.integers(1, 7)) + 1)
    ]


def history_of(file: Path, made: list[Made]) -> tuple[sqlite3.Connection, History]:
    connection = open_history(file, create=True)
    for number, run in enumerate(made, 1):
        assert take_run(connection, MadeRun(run, number), file).fresh
    return connection, History(connection)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_history_is_what_all_runs_say(tmp_path_factory: pytest.TempPathFactory, made: list[Made]) -> None:
    connection, history = history_of(tmp_path_factory.mktemp("h") / "history.db", made)
    places = {place for run in made for place in run.resources}
    lives = {life.id: life for life in history.lives()}
    expected = {}
    for place in places:
        for at, rule in enumerate(RULES):
            letters = letters_of(made, place, at)
            if "F" in letters:
                expected[finding(rule, place)] = letters
    assert lives.keys() == expected.keys()
    status = {
        "F": "open",
        "P": "fixed",
        "N": "not_applicable",
        "U": "unknown",
        "?": "not_looked_at",
        "": "gone",
    }
    for id_, letters in expected.items():
        life = lives[id_]
        assert [(each.begins, each.last, each.ends) for each in life.episodes] == episodes(letters)
        assert life.status == status[letters[-1]]
        assert life.observations == sum(letter in ("P", "F", "N") for letter in letters)
        assert life.failures == letters.count("F")
    for run, count in zip(history.runs, counts(made), strict=True):
        assert {what: number for what, number in run.counts.items() if number} == dict(count)
        found = {key for key, _ in history.at(run.number)}
        there = {place for place in places if letters_of(made, place, 0)[run.number - 1]}
        assert len(found) == len(there)
    connection.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs(), st.data())
def test_adding_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, made: list[Made], data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("h") / "history.db"
    connection, _ = history_of(file, made)
    before = list(connection.iterdump())
    again = data.draw(st.integers(0, len(made) - 1))
    assert not take_run(connection, MadeRun(made[again], again + 1), file).fresh
    assert list(connection.iterdump()) == before
    # the same id with other verdicts is another run that says it is this one
    other = {**made[again].resources, ("eu-west-1", "vol-9"): "PP"}
    with pytest.raises(InputError, match="one of the two was changed"):
        take_run(connection, MadeRun(made[again]._replace(resources=other), again + 1), file)
    assert list(connection.iterdump()) == before
    connection.close()


@pytest.mark.slow
@given(runs())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_control_holds_only_where_nothing_fails_is_unknown_or_unseen(
    tmp_path_factory: pytest.TempPathFactory, made: list[Made]
) -> None:
    connection, history = history_of(tmp_path_factory.mktemp("h") / "history.db", made)
    (control,) = controls_of(history, history.runs)
    assert (control.framework, control.control, list(control.rules)) == ("f", "1.1", list(RULES))
    places = {place for run in made for place in run.resources}
    for number in range(1, len(made) + 1):
        there = {letters_of(made, place, at)[number - 1] for place in places for at in range(len(RULES))}
        expected = (
            "failed"
            if "F" in there
            else "unknown"
            if there & {"U", "?"}
            else "held"
            if "P" in there
            else "not_tested"
        )
        assert control.seen[number] == expected
    assert control.continuous == 0, "runs alone show nothing of the time between them"
    connection.close()


def test_an_older_run_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    connection, _ = history_of(file, [Made(5, {PLACES[0]: "FP"}, frozenset({"eu-west-1"}))])
    before = list(connection.iterdump())
    with pytest.raises(InputError, match="before the newest run of the history"):
        take_run(connection, MadeRun(Made(4, {}, frozenset()), 9), file)
    assert list(connection.iterdump()) == before


def test_what_does_not_change_takes_no_room(tmp_path: Path) -> None:
    resources = {("eu-west-1", f"vol-{n}"): "PF" for n in range(500)}
    made = [Made(day, resources, frozenset({"eu-west-1"})) for day in range(1, 21)]
    connection, history = history_of(tmp_path / "history.db", made)
    assert connection.execute("SELECT count(*) FROM current").fetchone() == (500,)
    assert connection.execute("SELECT count(*) FROM past").fetchone() == (0,)
    assert all(len(list(history.at(n))) == 500 for n in (1, 20))


def test_a_rule_that_is_added_and_dropped(tmp_path: Path) -> None:
    """What is not asked any more is not fixed."""
    file = tmp_path / "history.db"
    connection = open_history(file, create=True)
    everywhere = frozenset({"eu-west-1"})
    for number, (letters, rules) in enumerate(
        [("F", ["a-rule"]), ("PF", ["a-rule", "b-rule"]), ("P", ["a-rule"])], 1
    ):
        take_run(connection, MadeRun(Made(number, {PLACES[0]: letters}, everywhere), number, rules), file)
    lives = {life.rule: life for life in History(connection).lives()}
    assert (lives["a-rule"].status, lives["b-rule"].status) == ("fixed", "not_asked")
    assert lives["b-rule"].episodes[0].ends is None


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: None, "does not exist"),
        (lambda file: file.mkdir(), "is no file of history"),
        (lambda file: file.write_bytes(b"SQLite format 3\0 not really" * 50), "is damaged, or no file of history"),
        (lambda file: sqlite3.connect(file).executescript("CREATE TABLE t (a)"), "but another database"),
    ],
    ids=["missing", "folder", "damaged", "other"],
)  # fmt: skip
def test_what_is_no_history_is_left_as_it_is(tmp_path: Path, make: object, said: str) -> None:
    file = tmp_path / "history.db"
    assert callable(make)
    make(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(InputError, match=said):
        open_history(file)
    assert (file.read_bytes() if file.is_file() else None) == before


def test_a_file_of_a_later_version_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    open_history(file, create=True).close()
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(InputError, match=f"has version {FORMAT + 1}; expected {FORMAT}"):
        open_history(file)


def test_names_of_any_text(tmp_path: Path) -> None:
    """A lone surrogate, a quote, a script: what JSON lets through, a name may be."""
    names = ["\ud800", "a'b", "</script>", "x" * 10_000, "\u202e", "é"]
    made = [Made(1, {("eu-west-1", name): "FP" for name in names}, frozenset({"eu-west-1"}))]
    connection, history = history_of(tmp_path / "history.db", made)
    assert {life.identity for life in history.lives()} == {
        (ACCOUNT, "eu-west-1", TYPE, name) for name in names
    }
    connection.close()


def test_an_auditors_copy_on_a_medium_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "history.db"
    history_of(file, [Made(1, {PLACES[0]: "FP"}, frozenset({"eu-west-1"}))])[0].close()
    monkeypatch.setattr("os.access", lambda *_: False)
    connection = open_history(file)
    assert {life.status for life in History(connection).lives()} == {"open"}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["history.db"], "nothing was put beside it"
    with pytest.raises(InputError, match="readonly"):
        take_run(connection, MadeRun(Made(2, {}, frozenset()), 2), file)

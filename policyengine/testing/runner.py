"""Running the tests of many rules."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from policyengine.model.errors import RuleError, UsageError
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text
from policyengine.rules.names import unknown
from policyengine.rules.pack import rule_files
from policyengine.testing.cases import RuleTests, load_tests, run_case, tests_of
from policyengine.testing.mutants import survivors


@dataclass
class RuleReport:
    """What the tests of one rule gave; ``problems`` are lines for its author."""

    rule: str
    cases: int = 0
    mutants: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Summary:
    """The reports of all rules."""

    reports: list[RuleReport]

    @property
    def ok(self) -> bool:
        """Whether every case gave what it should and every mutant was killed."""
        return not any(report.problems for report in self.reports)

    def line(self, *, mutate: bool) -> str:
        """Return the last line of the output."""
        failed = sum(bool(report.problems) for report in self.reports)
        cases = sum(report.cases for report in self.reports)
        mutants = sum(report.mutants for report in self.reports)
        parts = [_count(len(self.reports), "rule"), _count(cases, "case")]
        parts += [_count(mutants, "mutant")] if mutate else []
        bad = "1 rule has problems" if failed == 1 else f"{failed:,} rules have problems"
        return f"{', '.join(parts)}: {bad if failed else 'all well'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def run_tests(
    rule_ids: Sequence[str], folders: Sequence[Path], *, mutate: bool = False, jobs: int = 1
) -> Summary:
    """Run the tests of the named rules, of the rules in ``folders``, or else of all.

    Raises UsageError for a rule that does not exist.
    """
    own = [path for folder in folders for path in rule_files(folder)]
    files = own or rule_files(data_root().rules)
    stems = {path.stem: path for path in (*rule_files(data_root().rules), *own)}
    for name in rule_ids:
        if name not in stems:
            raise UsageError(unknown("rule", name, stems))
    chosen = [stems[name] for name in rule_ids] if rule_ids else files
    work = [(path, mutate) for path in chosen]
    if jobs == 1 or len(work) < 2:
        return Summary([test_rule(*item) for item in work])
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return Summary(pool.starmap(test_rule, work, chunksize=4))


def test_rule(path: Path, mutate: bool) -> RuleReport:
    """Test one rule: it loads, its cases hold and are enough, its mutants die."""
    report = RuleReport(path.stem)
    form, errors = compile_text(path, path.read_bytes())
    if form is None:
        report.problems += [str(error) for error in errors]
        return report
    try:
        tests = load_tests(tests_of(path))
    except RuleError as error:
        report.problems.append(str(error))
        return report
    report.cases = len(tests.cases)
    for case in tests.cases:
        problem = run_case(form, case).problem
        if problem:
            report.problems.append(f"case `{case.case}`: {problem}")
    report.problems += missing_cases(form, tests)
    if mutate and not report.problems:
        alive, stale, report.mutants = survivors(form, tests.cases, tests.equivalent)
        report.problems += [f"no case notices the mutant `{m.id}`: {m.says}" for m in alive]
        report.problems += [
            f"`{name}` is listed as an equivalent mutant but is killed or does not exist" for name in stale
        ]
    return report


def missing_cases(form: dict[str, object], tests: RuleTests) -> list[str]:
    """Every rule has PASS, FAIL and UNKNOWN cases, and NOT_APPLICABLE where it has a ``when``."""
    variants = form["variants"]
    assert isinstance(variants, list)
    needed = ["PASS", "FAIL", "UNKNOWN"]
    if any(variant["when"] is not None for variant in variants):
        needed.append("NOT_APPLICABLE")
    have = {case.expect for case in tests.cases}
    names = [case.case for case in tests.cases]
    problems = [f"there is no case that expects {verdict}" for verdict in needed if verdict not in have]
    return problems + [
        f"two cases are called `{name}`" for name in sorted({n for n in names if names.count(n) > 1})
    ]

"""What somebody accepts, where rules run continuously: NON_COMPLIANT with who and until when, from the very zip."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.config.waivers import Compensating, Waiver, Waiving
from policyengine.deploy.choice import Choice
from policyengine.deploy.package import package
from policyengine.lambdas.bundle import Bundle
from policyengine.lambdas.evaluations import LONGEST, evaluation_of
from policyengine.lambdas.judge import Judge
from policyengine.remediate.registry import load_remediations
from policyengine.sources.config.item import read_item
from policyengine.sources.config.mapping import to_resource
from tests.lambdas.config_standin import Standin, standin
from tests.lambdas.conftest import Function, chosen
from tests.lambdas.test_config_rule import REGION, change, invocation, item
from tests.live.server import MANAGEMENT, environment, running
from tests.waivers.making import bucket, waiver, write

RULE = "security-group-admin-ports-closed"
YEAR = datetime.now(UTC).year


def accepting(**given: Any) -> Waiver:
    named = {
        "rules": (RULE,),
        "granted": f"{YEAR - 1}-01-01",
        "expires": f"{YEAR + 1}-12-31",
        "approver": "Ben",
        **given,
    }
    return waiver(**named)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Standin, str]]:
    with standin() as found:
        yield found


@pytest.fixture
def function(tmp_path: Path, endpoint: str, service: tuple[Standin, str]) -> Iterator[Function]:
    """The function with a waiver of one security group in its settings."""
    choice = chosen(RULE)
    accepted = Waiving((accepting(resources=("sg-0a1b2c3d",), accounts=(MANAGEMENT,)),))
    data = package(Choice(choice.pack, load_remediations(), replace(choice.settings, waiving=accepted)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    environ = {**environment(endpoint), "AWS_ENDPOINT_URL_CONFIG_SERVICE": service[1], "AWS_REGION": REGION}
    made = Function(tmp_path, "config_rule", environ)
    yield made
    made.kill()


def judge(*waivers: Waiver, rules: dict[str, Any] | None = None) -> Judge:
    choice = chosen(RULE)
    return Judge(Bundle(choice.pack, replace(choice.settings, waiving=Waiving(waivers, rules=rules or {}))))


def annotation(*waivers: Waiver, **changes: Any) -> tuple[str, str]:
    found = judge(*waivers).findings(to_resource(read_item(item(**changes))), (RULE,))
    answer = evaluation_of("AWS::EC2::SecurityGroup", "sg-0a1b2c3d", found, "2026-11-21T09:00:00.000Z")
    return answer.compliance, answer.annotation


def test_the_function_answers_non_compliant_and_says_who_accepts_it(
    function: Function, service: tuple[Standin, str]
) -> None:
    service[0].forget()
    event = invocation(change())
    answer = function(event)
    taken = list(service[0].taken.values())
    assert answer == {"answer": {"NON_COMPLIANT": 1}}
    assert taken[0]["ComplianceType"] == "NON_COMPLIANT"
    assert taken[0]["Annotation"].startswith(f"accepted by Ben until {YEAR + 1}-12-31 (W-1); ")


def test_the_annotation_says_who_accepts_it_and_what_fails() -> None:
    plain = annotation()
    assert plain[0] == "NON_COMPLIANT" and "accepted" not in plain[1]
    compliance, text = annotation(accepting())
    assert compliance == "NON_COMPLIANT"
    assert text.startswith(f"accepted by Ben until {YEAR + 1}-12-31 (W-1); ") and "observed" in text
    assert annotation(accepting(expires=f"{YEAR - 1}-02-01")) == plain
    assert annotation(accepting(accounts=("000000000000",))) == plain


@pytest.mark.parametrize("name", ["B" * 5_000, "Ben\nnot determined: \u202e", "", "<script>"])
def test_no_name_makes_the_annotation_too_long_or_another_one(name: str) -> None:
    compliance, text = annotation(accepting(approver=name, id=name))
    assert compliance == "NON_COMPLIANT" and 0 < len(text) <= LONGEST and text.startswith("accepted by ")
    assert "\n" not in text


def test_what_nobody_accepts_is_told_first() -> None:
    """A Config rule that stands for several tells one of them."""
    choice = chosen(RULE, "s3-tls-only")
    rules = (RULE, "s3-tls-only")
    found = Judge(Bundle(choice.pack, choice.settings)).findings(to_resource(read_item(item())), rules)
    from policyengine.lambdas.judge import worst_first

    waived = found[0]._replace(waiver={"id": "W-1"}, rule="a-first")
    assert sorted([waived, found[0]], key=worst_first) == [found[0], waived]


def test_a_compensating_rule_that_the_event_does_not_decide_lapses_the_waiver() -> None:
    from policyengine.rules.packs import load_packs

    form = load_packs().rule("s3-account-public-access-block")
    assert form is not None
    one = accepting(compensating=Compensating(form["id"]))
    found = judge(one, rules={form["id"]: form}).findings(to_resource(read_item(item())), (RULE,))
    assert found[0].waiver is None
    assert f"compensating rule {form['id']} says nothing on account {MANAGEMENT}" in found[0].message


def test_the_zip_has_the_waivers_and_not_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, [bucket("logs")])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["baseline", "write", "one.ndjson", "-o", "base.json"])
    (tmp_path / "policyengine.yaml").write_text("baseline: base.json\n")
    add = "waivers add --rule s3-versioning --owner Ana --approver Ben --reason x --ticket T --days 9 --tag Stage=dev"
    for line in (add, "deploy package -o ."):
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        assert ended.value.code == 0, capsys.readouterr().err
    (made,) = tmp_path.glob("policyengine-*.zip")
    with zipfile.ZipFile(made) as archive:
        settings = json.loads(archive.read("policyengine/_data/settings.json"))
        names = archive.namelist()
    assert [each["id"] for each in settings["waiving"]["waivers"]] == ["W-1"]
    assert settings["waiving"]["baseline"] is None
    assert "policyengine/config/waivers_reader.py" not in names and "policyengine/engine/waiving.py" in names

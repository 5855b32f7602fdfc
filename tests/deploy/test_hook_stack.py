"""The stack of a CloudFormation Hook: AWS's linter and our own rules judge it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.settings import Settings
from policyengine.deploy.choice import Choice
from policyengine.deploy.hook_stack import SECONDS, hook_stack
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.remediate.registry import load_remediations
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

INHERENT = {
    "lambda-failed-events-kept": "CloudFormation calls the function and waits: no event of it waits anywhere"
}


@cache
def rendered() -> dict[str, Any]:
    return hook_stack(Choice(load_packs(), load_remediations(), Settings(), hook=True))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hook.json"
    path.write_text(json.dumps(rendered(), indent=1))
    return path


@pytest.mark.slow
def test_cfn_lint_finds_nothing(file: Path) -> None:
    pytest.importorskip("cfnlint")
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_our_own_rules_find_nothing_wrong_with_it(file: Path) -> None:
    given = {"CodeBucketPrefix": "code", "CodeKey": "policyengine.zip"}
    options = SourceOptions(account="111122223333", region="eu-west-1", parameters=given)
    discovery = open_targets([str(file)], options)
    evaluator = Evaluator(load_packs(), now=datetime.now(UTC))
    scan = Scan(evaluator, discovery.sources, Wanted(frozenset(("FAIL", "UNKNOWN"))))
    assert {(each.verdict, each.rule) for each in scan.findings()} == {("UNKNOWN", rule) for rule in INHERENT}
    assert not discovery.errors and not any(source.errors for source in discovery.sources)


def test_it_cannot_lock_itself_in_and_begins_by_telling_only() -> None:
    """With FAIL, and a function that cannot answer, every deployment stops; the Hook's own stack must stay free."""
    template = rendered()
    hook = template["Resources"]["Hook"]["Properties"]
    assert hook["StackFilters"]["StackNames"]["Exclude"] == [{"Ref": "AWS::StackName"}]
    assert template["Parameters"]["FailureMode"]["Default"] == "WARN"
    assert hook["TargetFilters"] == {"Actions": ["CREATE", "UPDATE"]}


def test_the_function_answers_before_cloudformation_gives_up_and_may_call_nothing() -> None:
    """https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html: 30
    seconds."""
    resources = rendered()["Resources"]
    assert resources["HookFunction"]["Properties"]["Timeout"] == SECONDS < 30
    actions = [
        action
        for statement in resources["HookFunctionPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    ]
    assert {action.partition(":")[0] for action in actions} == {"logs", "xray"}

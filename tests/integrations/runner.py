"""What GitHub's runner does with a composite action, as far as ours needs it: expressions, shells, files of outputs.

https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax (`shell: bash` is
`bash --noprofile --norc -eo pipefail {0}`), https://docs.github.com/en/actions/reference/workflows-and-actions/variables.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@cache
def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return found


class Runner:
    """Runs the `run` steps of the action in a repository; `uses` steps are only looked at."""

    def __init__(
        self, folder: Path, repository: Path, event: dict[str, Any], environ: dict[str, str]
    ) -> None:
        self.folder = folder
        self.repository = repository
        self.event = event
        self.outputs: dict[str, dict[str, str]] = {}
        self.ran: list[str] = []
        self.used: list[dict[str, Any]] = []
        self.log = ""
        self.summary = folder / "summary.md"
        temp = folder / "temp"
        temp.mkdir(parents=True, exist_ok=True)
        self.environ = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "RUNNER_TEMP": str(temp), "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(self.summary),
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **environ,
        }  # fmt: skip

    def installed(self, text: str | None = None) -> Path:
        """Put a command where the action installs it: this checkout's, or another script."""
        file = self.folder / "temp" / "policyengine" / "venv" / "bin" / "policyengine"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m policyengine "$@"\n')
        file.chmod(0o755)
        return file

    def run(self, **inputs: str) -> int:
        """Return the exit code of the action: that of the first step that fails."""
        given = {name: each.get("default", "") for name, each in action()["inputs"].items()}
        assert inputs.keys() <= {name.replace("-", "_") for name in given}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        self.inputs = {name: self._filled(str(value)) for name, value in given.items()}
        for number, step in enumerate(action()["runs"]["steps"]):
            if "if" in step and not self._value(step["if"]):
                continue
            self.ran.append(step["name"])
            if "uses" in step:
                self.used.append({**step, "with": {k: self._filled(str(v)) for k, v in step["with"].items()}})
                continue
            code = self._step(step, number)
            if code:
                return code
        return 0

    def _step(self, step: dict[str, Any], number: int) -> int:
        assert step["shell"] == "bash"
        script, outputs = self.folder / f"step-{number}.sh", self.folder / f"outputs-{number}"
        script.write_text(self._filled(step["run"]))
        outputs.write_text("")
        environ = {key: self._filled(str(value)) for key, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.repository / self._filled(step.get("working-directory", ".")),
            env={**self.environ, **environ, "GITHUB_OUTPUT": str(outputs)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        self.log += done.stdout
        lines = outputs.read_text().splitlines()
        self.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
        return done.returncode

    # -- expressions: `a == 'b' && (c || d)` over `inputs`, `steps`, `github` --------------------------

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: str(self._value(found[1])), text)

    def _value(self, text: str) -> Any:
        tokens = iter([*re.findall(r"'[^']*'|&&|\|\||==|!=|[()]|[A-Za-z0-9_.-]+", text), ""])
        value, rest = self._either(tokens, next(tokens))
        assert rest == "", f"cannot read {text!r}"
        return value

    def _either(self, tokens: Iterator[str], token: str) -> tuple[Any, str]:
        value, token = self._both(tokens, token)
        while token == "||":
            other, token = self._both(tokens, next(tokens))
            value = value or other
        return value, token

    def _both(self, tokens: Iterator[str], token: str) -> tuple[Any, str]:
        value, token = self._compared(tokens, token)
        while token == "&&":
            other, token = self._compared(tokens, next(tokens))
            value = value and other
        return value, token

    def _compared(self, tokens: Iterator[str], token: str) -> tuple[Any, str]:
        if token == "(":
            value, token = self._either(tokens, next(tokens))
            assert token == ")"
        else:
            value = self._named(token)
        token = next(tokens)
        if token in ("==", "!="):
            return (value == self._named(next(tokens))) is (token == "=="), next(tokens)
        return value, token

    def _named(self, token: str) -> Any:
        if token.startswith("'"):
            return token[1:-1]
        kind, _, path = token.partition(".")
        if kind == "inputs":
            return self.inputs[path]
        if kind == "steps":
            step, _, name = path.partition(".outputs.")
            return self.outputs.get(step, {}).get(name, "")
        assert kind == "github", token
        known = {
            "token": self.environ.get("TEST_TOKEN", ""), "event_name": self.environ["GITHUB_EVENT_NAME"],
            "repository": self.environ["GITHUB_REPOSITORY"], "event": self.event,
        }  # fmt: skip
        value: Any = known
        for name in path.split("."):
            value = value.get(name, "") if isinstance(value, dict) else ""
        return value

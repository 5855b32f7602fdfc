"""The pages of ``policyengine explain``: one for a rule, one for a finding.

Both take plain data and return text for a terminal. A finding may be a :class:`Finding` or the
contract's object out of a stored document, so that yesterday's ``findings.json`` can be explained too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policyengine.model.finding import PROPOSAL, Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, REASONS, UNKNOWN
from policyengine.model.resource import parse_pointer
from policyengine.reports.ansi import Paint
from policyengine.reports.base import RuleInfo, TerminalOptions
from policyengine.reports.remedies import remedy
from policyengine.reports.text import cut, show_value, visible, without_log_commands, wrap

LABEL_WIDTH = 12
MAX_LABEL = 20
PROSE_WIDTH = 100


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """A rule's parameter; ``value`` is what applies, ``default`` what the rule says."""

    name: str
    kind: str
    default: Any
    value: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ExampleInfo:
    """A test case of the rule. ``resource`` is its text as written, ``expect`` the verdict."""

    case: str
    expect: str
    reason: str | None = None
    resource: str = ""


@dataclass(frozen=True, slots=True)
class RulePage:
    """All that the page of a rule shows. ``requires`` and ``when`` are lines in words, nested by indent; ``repair`` says
    of its remediation what it does, how far that can be taken back and what its dangers are."""

    info: RuleInfo
    applies_to: Sequence[str]
    requires: Sequence[str]
    when: Sequence[str] = ()
    parameters: Sequence[ParameterInfo] = ()
    examples: Sequence[ExampleInfo] = field(default_factory=tuple)
    remediation: str | None = None
    repair: Sequence[str] = ()
    file: str | None = None


def explain_rule(page: RulePage, options: TerminalOptions | None = None) -> str:
    """Return the page of a rule, ending in a newline."""
    write = _Writer(options or TerminalOptions())
    info = page.info
    write.title(info.severity, info.id, info.title)
    write.row("family", f"{info.family}, pillar {info.pillar}")
    write.row("applies to", ", ".join(page.applies_to))
    if page.file:
        write.row("file", page.file)
    write.section("Why", [info.why])
    write.section("How to fix", [info.fix])
    if page.remediation:
        write.section(
            "", [f"`policyengine remediate plan` can do it: handler `{page.remediation}`.", *page.repair]
        )
    if page.when:
        write.listing("Looks only at resources for which", page.when)
    write.listing("Requires", page.requires)
    if page.parameters:
        write.listing("Parameters (policyengine.yaml)", [_parameter(p) for p in page.parameters])
    if info.frameworks:
        write.listing("Controls", [_controls(name, found) for name, found in sorted(info.frameworks.items())])
    if page.examples:
        write.heading("Examples, and what tells them apart")
        for example in page.examples:
            write.example(example)
    if info.references:
        write.links("References", info.references)
    return write.text()


def explain_finding(
    finding: Finding | Mapping[str, Any],
    rule: RuleInfo | None = None,
    options: TerminalOptions | None = None,
    layers: Sequence[str] = (),
) -> str:
    """Return the page of a finding, ending in a newline.

    ``rule`` adds title, reasons and remedy; ``layers`` are the steps of its request through the layers of
    policies, nested by indent. Raises KeyError when the object is not one of the contract.
    """
    found = finding.to_json() if isinstance(finding, Finding) else finding
    write = _Writer(options or TerminalOptions())
    verdict, reason = str(found["verdict"]), str(found["reason"])
    title = rule.title if rule else finding.title if isinstance(finding, Finding) else ""
    write.title(str(found["severity"]), str(found["rule"]), title)
    _identity(write, found)
    write.heading("Verdict")
    write.verdict(verdict, _because(reason), str(found["message"]))
    _evidence(write, found["evidence"])
    _conditions(write, found)
    if layers:
        write.listing("Layer by layer", layers)
    write.section("What would change it", _changes(found, verdict, reason))
    if rule is not None and verdict in (FAIL, UNKNOWN):
        write.section("Why it matters", [rule.why])
    if rule is not None and verdict == FAIL:
        write.section("How to fix", [rule.fix])
    if found["remediation"] and verdict == FAIL:
        write.section("", [f"`policyengine remediate plan` can do it: handler `{found['remediation']}`."])
    if found["frameworks"]:
        write.listing("Controls", [f"{k}: {', '.join(v)}" for k, v in sorted(found["frameworks"].items())])
    if rule is not None and rule.references:
        write.links("References", rule.references)
    return write.text()


def _identity(write: _Writer, found: Mapping[str, Any]) -> None:
    resource, place = found["resource"], found["location"]
    write.row("finding", str(found["id"]))
    write.row("resource", f"{resource['type']} {resource['id']}")
    if resource.get("construct_path"):
        write.row("construct", resource["construct_path"])
    if resource["arn"]:
        write.row("arn", resource["arn"])
    if resource["account"] or resource["region"]:
        write.row(
            "account" if resource["account"] else "region",
            " / ".join(str(p) for p in (resource["account"], resource["region"]) if p),
        )
    if place is not None:
        parts = [place["file"], *(str(place.get(k)) for k in ("line", "column") if place.get(k) is not None)]
        write.row("place", ":".join(parts))
    if found.get("cause"):
        write.row("cause", str(found["cause"]))


def _because(reason: str) -> str:
    known = REASONS.get(reason)
    return f"{known[1]} ({reason})" if known else reason


def _evidence(write: _Writer, evidence: Sequence[Mapping[str, Any]]) -> None:
    if not evidence:
        return
    write.heading("Evidence")
    for index, item in enumerate(evidence):
        if index:
            write.blank()
        if str(item["path"]).endswith(f"/{PROPOSAL}"):
            write.row("proposal", show_value(item["observed"], 4_000))
            continue
        write.row("at", _dotted(str(item["path"])) or "the resource itself")
        write.row("observed", show_value(item["observed"], 2_000))
        if item.get("provenance"):
            write.row("which is", str(item["provenance"]))
        write.row("expected", str(item["expected"]))


def _dotted(pointer: str) -> str:
    try:
        return ".".join(parse_pointer(pointer))
    except ValueError:
        return pointer


def _conditions(write: _Writer, found: Mapping[str, Any]) -> None:
    branch, witness, waiver = found["branch"], found["witness"], found["waiver"]
    if branch:
        terms = (
            [f"{k} is {str(v).lower()}" for k, v in sorted(branch.items())]
            if isinstance(branch, Mapping)
            else [branch]
        )
        write.listing("In the branch of the template where", terms)
    if witness:
        write.heading("For example this request")
        for key in ("principal", "action", "resource"):
            write.row(key, str(witness[key]))
        for key, value in sorted(witness["context"].items()):
            write.row("with", f"{key} = {show_value(value)}")
    if waiver is not None:
        write.heading("Accepted by a waiver (still a FAIL)")
        for key, value in waiver.items():
            write.row(str(key), show_value(value, 1_000))


def _changes(found: Mapping[str, Any], verdict: str, reason: str) -> list[str]:
    if verdict == NOT_APPLICABLE:
        return ["The rule applies as soon as the resource meets the rule's `when`."]
    lines = []
    if verdict == FAIL:
        wanted = [
            f"`{_dotted(str(e['path'])) or 'the resource'}`: {e['expected']}" for e in found["evidence"][:8]
        ]
        lines.append(f"It passes when the rule finds what it expects. {'; '.join(wanted)}.")
    if verdict == PASS:
        lines.append("It fails as soon as the requirement is no longer met.")
    advice = remedy(reason)
    if advice:
        lines.append(advice)
    if verdict == FAIL and found["waiver"] is None:
        lines.append(
            "Where the risk is accepted: a waiver with owner, approver, reason and expiry; it stays a FAIL."
        )
    if verdict == UNKNOWN:
        lines.append("Until then it counts neither as PASS nor as FAIL; `--strict` makes it exit with 3.")
    return lines


def _parameter(parameter: ParameterInfo) -> str:
    name, default = f"{parameter.name} ({parameter.kind})", show_value(parameter.default, 90)
    if parameter.value is None or parameter.value == parameter.default:
        text = f"{name}: {default}"
    else:
        text = f"{name}: {show_value(parameter.value)} (the rule's default is {default})"
    return f"{text}; {parameter.description}" if parameter.description else text


def _controls(name: str, controls: Sequence[tuple[str, str]]) -> str:
    return f"{name}: {', '.join(c if decides == 'whole' else f'{c} (in part)' for c, decides in controls)}"


class _Writer:
    """Collects the lines of a page; everything untrusted is made visible here."""

    def __init__(self, options: TerminalOptions) -> None:
        self._paint = Paint(options)
        self._width = min(options.width, PROSE_WIDTH)
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(map(without_log_commands, self._lines)) + "\n"

    def blank(self) -> None:
        self._lines.append("")

    def title(self, severity: str, rule: str, title: str) -> None:
        self._lines.append(f"{self._paint('bold', visible(rule))} {self._paint(severity, severity)}")
        self._lines += [self._paint("bold", line) for line in wrap(visible(title), self._width)]
        self.blank()

    def heading(self, text: str) -> None:
        if self._lines and self._lines[-1]:
            self.blank()
        self._lines.append(self._paint("bold", text))

    def row(self, label: str, text: str) -> None:
        head = f"  {cut(visible(label), MAX_LABEL):<{LABEL_WIDTH}} "
        for line in wrap(visible(cut(text, 4_000)), self._width - len(head)) or [""]:
            self._lines.append((self._paint("dim", head) if head.strip() else head) + line)
            head = " " * len(head)

    def section(self, heading: str, paragraphs: Sequence[str]) -> None:
        if heading:
            self.heading(heading)
        for line in self._wrapped(paragraphs):
            self._lines.append(f"  {line}")

    def _wrapped(self, paragraphs: Sequence[str]) -> Iterator[str]:
        for paragraph in paragraphs:
            yield from wrap(visible(" ".join(paragraph.split())), self._width - 2)

    def listing(self, heading: str, items: Sequence[str]) -> None:
        self.heading(heading)
        for item in items:
            indent = "  " + " " * min(len(item) - len(item.lstrip(" ")), 20)
            lead = f"{indent}- "
            for line in wrap(visible(item.strip()), self._width - len(lead)):
                self._lines.append(lead + line)
                lead = " " * len(lead)

    def verdict(self, verdict: str, because: str, message: str) -> None:
        role = {FAIL: "error", PASS: "ok", UNKNOWN: "unknown"}.get(verdict, "bold")
        shown = "UNKNOWN (not determined)" if verdict == UNKNOWN else verdict
        self._lines.append(f"  {self._paint(role, shown)}")
        self.section("", [message])
        self.section("", [f"because {because}"])

    def example(self, example: ExampleInfo) -> None:
        role = {FAIL: "error", PASS: "ok", UNKNOWN: "unknown"}.get(example.expect, "dim")
        reason = f" ({example.reason})" if example.reason else ""
        padding = " " * max(1, 15 - len(example.expect))
        self._lines.append(
            f"  {self._paint(role, example.expect)}{padding}{visible(example.case)}{visible(reason)}"
        )
        for line in example.resource.rstrip("\n").split("\n") if example.resource else ():
            for part in wrap(visible(cut(line.expandtabs(2), 400)), self._width - 17):
                self._lines.append(" " * 17 + self._paint("dim", part))

    def links(self, heading: str, targets: Sequence[str]) -> None:
        self.heading(heading)
        self._lines += [f"  {self._paint.link(target, visible(target))}" for target in targets]

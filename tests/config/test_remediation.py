"""The section `remediation`: what it may say, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.config.compiled import read_settings, write_settings
from policyengine.config.loader import ConfigErrors, load_config
from policyengine.config.remediation import (
    Approving,
    Breaker,
    Freeze,
    Limits,
    Remediating,
    Repair,
    Window,
)
from policyengine.config.settings import Settings
from policyengine.model.errors import ConfigError


def days_at_least_one(name: str, value: Any) -> str | None:
    if name != "days":
        return f"unknown parameter `{name}`"
    return None if isinstance(value, int) and value >= 1 else f"`{value}` is below the minimum 1"


KNOWN = {
    "kms_rotation": Repair("automatic", days_at_least_one),
    "rds_backups": Repair("approval", days_at_least_one),
}


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "policyengine.yaml"
    path.write_text(text)
    return load_config(path, lambda *_: None, {}, lambda: KNOWN)


def section(tmp_path: Path, text: str) -> Remediating:
    return read(tmp_path, "remediation:\n" + "".join(f"  {line}\n" for line in text.splitlines())).remediation


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as told:
        section(tmp_path, text)
    return [str(error).rpartition("policyengine.yaml:")[2] for error in told.value.errors]


def test_without_the_section_every_limit_is_on_and_nothing_is_automatic(tmp_path: Path) -> None:
    settings = read(tmp_path, "severities: {}\n")
    assert settings.remediation == Remediating()
    assert (settings.remediation.limits.run, settings.remediation.limits.share) == (10, 0.05)
    assert settings.remediation.automatic == frozenset()


def test_remediations_are_not_loaded_for_a_file_without_the_section(tmp_path: Path) -> None:
    path = tmp_path / "policyengine.yaml"
    path.write_text("disabled: {}\n")

    def loaded() -> Any:
        raise AssertionError("nobody asked for them")

    load_config(path, lambda *_: None, {}, loaded)


WHOLE = """\
enabled: true
automatic: [kms_rotation]
exclusion_tags: [hands-off]
owned_by_code: change
settling: 600
plan_hours: 8
flaps: 3
repeat_seconds: 60
windows:
  - {days: [mon, Tuesday], start: "22:00", end: "04:00", zone: Europe/Berlin}
  - {days: [saturday], start: "00:00", end: "23:59"}
freezes:
  - {start: "2026-12-20", end: "2027-01-07T08:00:00+01:00", why: end of year}
waves: [0, 1%, 0.25]
limits: {run: 5, share: 2%, hour: 10, accounts: 2}
breaker: {failures: 2, share: 10%, least: 4, seconds: 600, pause: 900}
approving:
  severities: {critical: 2}
  environments: {Production: 2, production: 1, staging: 0}
  destructive: 3
  environment_tag: Stage
  hours: 12
parameters:
  kms_rotation: {days: 90}
"""


def test_a_whole_section(tmp_path: Path) -> None:
    assert section(tmp_path, WHOLE) == Remediating(
        enabled=True,
        automatic=frozenset({"kms_rotation"}),
        exclusion_tags=("hands-off",),
        owned_by_code="change",
        settling=600,
        plan_hours=8,
        flaps=3,
        repeat_seconds=60,
        windows=(
            Window((0, 1), "22:00", "04:00", "Europe/Berlin"),
            Window((5,), "00:00", "23:59", "UTC"),
        ),
        freezes=(Freeze("2026-12-20T00:00:00+00:00", "2027-01-07T08:00:00+01:00", "end of year"),),
        waves=(0.0, 0.01, 0.25),
        limits=Limits(5, 0.02, 10, 2),
        breaker=Breaker(2, 0.1, 4, 600, 900),
        approving=Approving({"critical": 2}, {"production": 2, "staging": 0}, 3, "Stage", 12),
        parameters={"kms_rotation": {"days": 90}},
    )


def test_the_section_survives_being_compiled(tmp_path: Path) -> None:
    import json

    settings = read(tmp_path, "remediation:\n" + "".join(f"  {line}\n" for line in WHOLE.splitlines()))
    assert read_settings(json.loads(json.dumps(write_settings(settings)))).remediation == settings.remediation


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("enabld: true", "2:3: unknown key `enabld`; did you mean `enabled`?"),
        ("enabled: 1", "2:12: `enabled` is true or false; found `1`"),
        ("automatic: kms_rotation", "2:14: `automatic` is a list of remediations; found `kms_rotation`"),
        ("automatic: [kms_rotatoin]", "2:15: unknown remediation `kms_rotatoin`; did you mean `kms_rotation`?"),
        ("automatic: [rds_backups]", "2:15: `rds_backups` is never automatic: it declares `mode: approval`"),
        ("automatic: [kms_rotation, kms_rotation]", "2:29: `kms_rotation` stands twice"),
        ("automatic: [3]", "2:15: expected a text; found `3`"),
        ("exclusion_tags: ['']", "2:20: expected a text; found ``"),
        ("owned_by_code: changes", "2:18: unknown value of `owned_by_code` `changes`; did you mean `change`?"),
        ("settling: -1", "2:13: `settling` is a whole number from 0 to 86,400; found `-1`"),
        ("plan_hours: true", "2:15: `plan_hours` is a whole number from 1 to 168; found `True`"),
        ("flaps: 1.5", "2:10: `flaps` is a whole number from 1 to 100; found `1.5`"),
        ("windows: [{days: [moonday], start: '01:00', end: '02:00'}]", "2:21: unknown day `moonday`; did you mean `monday`?"),
        ("windows: [{days: [], start: '01:00', end: '02:00'}]", "2:20: a window without days is never open"),
        ("windows: [{days: [mon], start: '25:00', end: '02:00'}]", "2:34: `start` is a time of day such as \"22:00\""),
        ("windows: [{days: [mon], start: 1, end: '02:00'}]", "2:34: `start` is a time of day such as \"22:00\""),
        ("windows: [{days: [mon], start: '02:00', end: '02:00'}]", "2:48: a window from 02:00 to 02:00 is never open"),
        ("windows: [{days: [mon], start: '01:00'}]", "2:13: lacks `end`"),
        ("windows: [{days: [mon], start: '01:00', end: '02:00', zone: Europe/Berln}]", "unknown time zone `Europe/Berln`; did you mean `Europe/Berlin`?"),
        ("windows: [{days: [mon], start: '01:00', end: '02:00', zone: ../../etc/passwd}]", "unknown time zone"),
        ("windows: {}", "2:12: `windows` is a list of windows"),
        ("windows: [3]", "2:13: `remediation.windows.0` is no mapping"),
        ("freezes: [{start: '2026-12-24', end: '2026-12-20'}]", "2:40: the freeze ends 2026-12-20T00:00:00+00:00, before it begins"),
        ("freezes: [{start: soon, end: '2026-12-20'}]", "2:21: `start` is a time such as"),
        ("freezes: [{end: '2026-12-20'}]", "2:13: lacks `start`"),
        ("waves: [50%, 5%]", "2:16: waves grow: 0.05 comes after 0.5"),
        ("waves: [150%]", "2:11: a share is 0 to 1, or a percentage such as `5%`; found `150%`"),
        ("limits: {share: 0}", "2:19: a share is more than 0 to 1, or a percentage such as `5%`; found `0`"),
        ("limits: {share: 5}", "2:19: a share is more than 0 to 1, or a percentage such as `5%`; found `5`"),
        ("limits: {runs: 5}", "2:12: unknown key `runs`; did you mean `run`?"),
        ("limits: {run: 0}", "2:17: `run` is a whole number from 1 to 100,000; found `0`"),
        ("breaker: {pause: 0}", "2:20: `pause` is a whole number from 1"),
        ("approving: {severities: {urgent: 1}}", "2:28: unknown severity `urgent`"),
        ("approving: {severities: {critical: 9}}", "2:38: `critical` is a whole number from 0 to 5; found `9`"),
        ("approving: {destructive: 0}", "2:28: `destructive` is a whole number from 1 to 5; found `0`"),
        ("approving: {environment_tag: ''}", "2:32: expected the key of a tag; found ``"),
        ("parameters: {kms_rotatoin: {}}", "2:16: unknown remediation `kms_rotatoin`"),
        ("parameters: {kms_rotation: {days: 0}}", "2:37: `kms_rotation.days`: `0` is below the minimum 1"),
        ("parameters: {kms_rotation: {hours: 1}}", "`kms_rotation.hours`: unknown parameter `hours`"),
        ("parameters: {kms_rotation: 3}", "`remediation.parameters.kms_rotation` is no mapping"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1, found
    assert said in found[0]


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "enabled: 3\nflaps: 0\nlimits: {run: 0, hour: 0}\n")
    assert [line.split(":")[0] for line in found] == ["2", "3", "4", "4"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*Remediating.__dataclass_fields__])


@given(value=st.dictionaries(KEYS, VALUES, max_size=3) | VALUES)
def test_no_section_makes_the_reader_fall(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    import json

    path = tmp_path_factory.mktemp("c") / "policyengine.yaml"
    path.write_text(json.dumps({"remediation": value}))
    try:
        settings = load_config(path, lambda *_: None, {}, lambda: KNOWN)
    except ConfigError as error:
        assert error.location is not None or getattr(error, "errors", ())
    else:
        assert isinstance(settings.remediation, Remediating)


def test_the_real_remediations_are_known(tmp_path: Path) -> None:
    from policyengine.remediate.registry import load_remediations

    repairs = load_remediations().repairs()
    path = tmp_path / "policyengine.yaml"
    path.write_text("remediation: {automatic: [kms_rotation]}\n")
    assert load_config(path, lambda *_: None, {}, lambda: repairs).remediation.automatic == {"kms_rotation"}
    for declaration in load_remediations():
        for name, form in declaration.parameters.items():
            assert repairs[declaration.id].check(name, form["default"]) is None
        assert repairs[declaration.id].check("no_such_parameter", 1) is not None


def test_the_documented_section_is_read_and_shows_the_defaults(tmp_path: Path) -> None:
    from dataclasses import replace

    from policyengine.remediate.registry import load_remediations

    page = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text()
    (text,) = [block for block in page.split("```yaml\n") if block.startswith("remediation:")]
    path = tmp_path / "policyengine.yaml"
    path.write_text(text.partition("```")[0])
    shown = load_config(path, lambda *_: None, {}, load_remediations().repairs).remediation
    plain = Remediating()
    assert shown == replace(
        plain,
        automatic=shown.automatic,
        windows=shown.windows,
        freezes=shown.freezes,
        parameters=shown.parameters,
        approving=replace(plain.approving, severities=shown.approving.severities),
    )
    assert set(read_keys(text)) == set(Remediating.__dataclass_fields__)


def read_keys(text: str) -> list[str]:
    lines = text.partition("```")[0].splitlines()[1:]
    return [line.strip().partition(":")[0] for line in lines if line.startswith("  ") and line[2] not in " -"]

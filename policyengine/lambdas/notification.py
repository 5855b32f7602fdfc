"""What AWS Config asks of a custom rule, read with suspicion.

https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policyengine.model.account_id import is_account_id
from policyengine.sources.snapshot.lines import decode_line
from policyengine.sources.snapshot.problems import LineError

Json = dict[str, Any]
PREFIX: Final = "policyengine-"
"""Config rules of ours are called ``policyengine-RULE-ID`` unless their parameters name the rules."""
MOST_BYTES: Final = 1_000_000
"""Of a notification: SQS, EventBridge and AWS Config deliver at most 256 KB, Lambda takes 6 MB."""
CHANGE: Final = "ConfigurationItemChangeNotification"
OVERSIZED: Final = "OversizedConfigurationItemChangeNotification"
SCHEDULED: Final = "ScheduledNotification"


class EventError(Exception):
    """An event that is not what its sender sends; the text says what is wrong with it, quoting little."""


class Notification(NamedTuple):
    """One invocation of a Config rule. ``rules`` are ids of ours; ``item`` is the configuration item of a change, the
    summary of an oversized one, empty for a schedule. ``created`` is when AWS Config asked."""

    kind: str
    rules: tuple[str, ...]
    item: Json
    token: str
    left_scope: bool
    account: str
    config_rule: str
    created: str


def read_notification(event: Any) -> Notification:
    """Return the notification of a Lambda event. Raises EventError."""
    given = _object(event, "the event")
    invoking = parse(_text(given, "invokingEvent"), "invokingEvent")
    kind = _text(invoking, "messageType")
    names = {CHANGE: "configurationItem", OVERSIZED: "configurationItemSummary"}
    if kind not in (*names, SCHEDULED):
        raise EventError(f"`messageType` is `{kind[:60]}`, expected a change or a schedule")
    item = _object(invoking.get(names[kind]), names[kind]) if kind in names else {}
    parameters = given.get("ruleParameters")
    account = _text(given, "accountId")
    if not is_account_id(account):
        raise EventError("`accountId` is no account id")
    if item and item.get("awsAccountId", account) != account:
        raise EventError(
            f"the item is of account {str(item.get('awsAccountId'))[:20]}, the rule of {account}"
        )
    config_rule = _text(given, "configRuleName")
    created = item.get("configurationItemCaptureTime") or invoking.get("notificationCreationTime") or ""
    return Notification(
        kind,
        rules_of(config_rule, parse(parameters, "ruleParameters") if parameters else {}),
        item,
        _text(given, "resultToken"),
        given.get("eventLeftScope") is True,
        account,
        config_rule,
        str(created),
    )


def rules_of(config_rule: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return our rules behind a Config rule: its parameter ``rules`` (ids with commas), else its name."""
    named = parameters.get("rules")
    if named is not None and not isinstance(named, str):
        raise EventError("the parameter `rules` is no text; expected rule ids with commas")
    if named:
        return tuple(name.strip() for name in named.split(",") if name.strip())
    if not config_rule.startswith(PREFIX):
        raise EventError(f"`{config_rule[:80]}` does not begin with `{PREFIX}` and has no parameter `rules`")
    return (config_rule.removeprefix(PREFIX),)


def parse(text: Any, name: str) -> Json:
    """Return the object in a JSON text, its size and nesting bounded. Raises EventError."""
    if isinstance(text, Mapping):
        return dict(text)
    if not isinstance(text, str):
        raise EventError(f"`{name}` is no text; expected JSON")
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_BYTES:
        raise EventError(f"`{name}` has {len(data):,} bytes; at most {MOST_BYTES:,} are read")
    try:
        return _object(decode_line(data), name)
    except LineError as problem:
        raise EventError(f"`{name}` is no JSON: {str(problem)[:120]}") from None


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, Mapping):
        raise EventError(f"`{name}` is {type(value).__name__}, expected an object")
    return dict(value)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise EventError(f"`{name}` is missing or no text")
    return value

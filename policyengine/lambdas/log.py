"""Structured log lines and metrics, as CloudWatch reads them.

A line is one JSON object with the correlation id of the event it is about, which the kernel also writes into
plans and the journal: from a line of the log to the call it led to is one search. Metrics are in the embedded
metric format (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
What is logged are ids, verdicts, codes and counts; never properties, arguments of calls or events as a whole.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, TextIO

NAMESPACE: Final = "PolicyEngine"
_LONGEST: Final = 1000


class Log:
    """Writes for one invocation. ``function`` names the handler; ``correlation`` is set for each event."""

    def __init__(self, function: str, request: str = "", out: TextIO | None = None) -> None:
        self.function = function
        self.request = request
        self.correlation = ""
        self._out = out

    def info(self, message: str, **fields: Any) -> None:
        """Write what happened."""
        self._write("INFO", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Write what somebody has to look at."""
        self._write("ERROR", message, fields)

    def metrics(self, values: Mapping[str, float], **dimensions: str) -> None:
        """Write metrics: counts, or milliseconds where a name ends with ``Milliseconds``."""
        own = {"Function": self.function, **dimensions}
        told = [
            {"Name": name, "Unit": "Milliseconds" if name.endswith("Milliseconds") else "Count"}
            for name in values
        ]
        about = {"Namespace": NAMESPACE, "Dimensions": [list(own)], "Metrics": told}
        blob = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]}}
        self._put({**blob, **own, **values, "correlation_id": self.correlation})

    def _write(self, level: str, message: str, fields: Mapping[str, Any]) -> None:
        given = {name: _short(value) for name, value in fields.items() if value not in (None, "")}
        head = {"level": level, "message": message, "function": self.function}
        ids = {"correlation_id": self.correlation, "request_id": self.request}
        self._put({**head, **{name: value for name, value in ids.items() if value}, **given})

    def _put(self, line: Mapping[str, Any]) -> None:
        out = self._out if self._out is not None else sys.stdout
        out.write(json.dumps(line, separators=(",", ":"), default=str) + "\n")
        out.flush()


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[:_LONGEST] + "…"
    return value

"""A stand-in for the operations of AWS Config that moto lacks, over HTTP: PutEvaluations, GetComplianceDetailsByConfigRule and
GetResourceConfigHistory. What is sent and what it answers are checked against botocore's model of the service.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.validate import ParamValidator

from policyengine.aws.models import service_model

MODEL = service_model("config")


class Standin:
    """``taken`` are the evaluations AWS Config would hold, by (type, id); ``fail_first`` of each batch that many are handed
    back once. ``history`` is (type, id) -> item."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Be as new."""
        self.taken: dict[tuple[str, str], dict[str, Any]] = {}
        self.batches: list[int] = []
        self.fail_first = 0
        self.history: dict[tuple[str, str], dict[str, Any]] = {}
        self.problems: list[str] = []

    def answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        model = MODEL.operation_model(operation)
        given = dict(body)
        if operation == "PutEvaluations":  # botocore sends times as numbers and checks them before
            given["Evaluations"] = [{k: v for k, v in e.items() if k != "OrderingTimestamp"} | {"OrderingTimestamp": 1}
                                    for e in body["Evaluations"]]  # fmt: skip
        if "laterTime" in given:
            given["laterTime"] = 1
        report = ParamValidator().validate(given, model.input_shape)
        if report.has_errors():
            self.problems.append(report.generate_report())
        return getattr(self, f"_{operation}")(body)

    def _PutEvaluations(self, body: dict[str, Any]) -> dict[str, Any]:
        evaluations = body["Evaluations"]
        assert body["ResultToken"] == "token"
        assert 1 <= len(evaluations) <= 100, f"AWS takes at most 100 evaluations, not {len(evaluations)}"
        for each in evaluations:
            assert len(each.get("Annotation", "")) <= 256
            assert each["ComplianceType"] != "INSUFFICIENT_DATA"
        self.batches.append(len(evaluations))
        failed, self.fail_first = evaluations[: self.fail_first], 0
        for each in evaluations[len(failed) :]:
            self.taken[each["ComplianceResourceType"], each["ComplianceResourceId"]] = each
        return {"FailedEvaluations": failed}

    def _GetComplianceDetailsByConfigRule(self, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body.get("ComplianceTypes", [])
        found = [key for key, each in sorted(self.taken.items()) if each["ComplianceType"] in wanted]
        start = int(body.get("NextToken") or 0)
        page = found[start : start + 2]
        qualifiers = [
            {"ConfigRuleName": body["ConfigRuleName"], "ResourceType": t, "ResourceId": i} for t, i in page
        ]
        results = [{"EvaluationResultIdentifier": {"EvaluationResultQualifier": q}} for q in qualifiers]
        more = {"NextToken": str(start + 2)} if start + 2 < len(found) else {}
        return {"EvaluationResults": results, **more}

    def _GetResourceConfigHistory(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"configurationItems": [self.history[body["resourceType"], body["resourceId"]]]}


@contextmanager
def standin() -> Iterator[tuple[Standin, str]]:
    """Yield the stand-in and its endpoint."""
    found = Standin()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            try:
                status, answer = 200, found.answer(operation, body)
            except AssertionError as problem:
                found.problems.append(str(problem))
                status, answer = 400, {"__type": "InvalidParameterValueException", "message": str(problem)}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()

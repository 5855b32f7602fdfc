"""What AWS takes for a legal finding: botocore's model of BatchImportFindings, and the lengths its page documents.

botocore itself checks types and required members but neither patterns nor enumerations, and the lengths stand in
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html (and in the model's documentation).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

LENGTHS = {
    "Id": 512, "GeneratorId": 512, "ProductArn": 2048, "Title": 256, "Description": 1024, "ProductName": 128,
    "CompanyName": 128,
}  # fmt: skip
LISTS = {"Types": 50, "Resources": 32}
MOST_BYTES = 240_000
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z", re.ASCII)
"""https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html#timestamps"""
NAMESPACES = (
    "Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors", "Sensitive Data Identifications",
)  # fmt: skip
NOT_IMPORTED = (
    "Severity",
    "Types",
    "Workflow",
    "Note",
    "UserDefinedFields",
    "VerificationState",
    "Confidence",
)
"""What an import must not bring: https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html"""


@cache
def import_shape() -> Any:
    model = botocore.session.get_session().get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def illegal(finding: dict[str, Any]) -> list[str]:
    """Return what AWS would refuse, as sentences."""
    report = ParamValidator().validate({"Findings": [finding]}, import_shape())
    problems = [report.generate_report()] if report.has_errors() else []
    problems += _against(finding, import_shape().members["Findings"].member, "")
    problems += [f"{key} is too long" for key, most in LENGTHS.items() if units(finding.get(key, "")) > most]
    problems += [f"{key} has too many" for key, most in LISTS.items() if len(finding.get(key, ())) > most]
    problems += list(_more(finding))
    if len(json.dumps(finding).encode()) > MOST_BYTES:
        problems.append("it has more than 240 KB")
    return problems


def units(text: str) -> int:
    """The length of a text as Java counts it."""
    return len(text.encode("utf-16-le")) // 2


def _against(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Patterns (over the whole of a text, on one line, as Java's `matches` reads them) and enumerations."""
    if shape.type_name == "structure":
        for key, each in value.items():
            yield from _against(each, shape.members[key], f"{path}/{key}")
    elif shape.type_name == "list":
        for each in value:
            yield from _against(each, shape.member, path)
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from _against(key, shape.key, f"{path}/{key}")
            yield from _against(each, shape.value, f"{path}/{key}")
    elif shape.type_name == "string":
        if re.search("[\n\r\x85\u2028\u2029]", value) or not re.search(r"[^ \t\n\x0b\f\r]", value):
            yield f"{path}: {value!r} is blank or on several lines"
        if getattr(shape, "enum", ()) and value not in shape.enum:
            yield f"{path}: {value!r} is none of {shape.enum}"
        try:
            value.encode()
        except UnicodeEncodeError:
            yield f"{path}: {value!r} is no Unicode"


def _more(finding: dict[str, Any]) -> Iterator[str]:
    if finding["SchemaVersion"] != "2018-10-08":
        yield "SchemaVersion"
    if not re.fullmatch("[0-9]{12}", finding["AwsAccountId"], re.ASCII):
        yield "AwsAccountId"
    arn = rf"arn:aws[a-z-]*:securityhub:[a-z0-9-]{{1,16}}:{finding['AwsAccountId']}:product/{finding['AwsAccountId']}/default"
    if not re.fullmatch(arn, finding["ProductArn"], re.ASCII):
        yield f"ProductArn {finding['ProductArn']}"
    for key in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"):
        if key in finding and not TIME.fullmatch(finding[key]):
            yield f"{key} {finding[key]}"
    if finding["UpdatedAt"] < finding["CreatedAt"]:
        yield "UpdatedAt is before CreatedAt"
    provided = finding.get("FindingProviderFields", {})
    if not provided.get("Types") or "Label" not in provided.get("Severity", {}):
        yield "there are no Types or no Severity"
    for each in provided.get("Types", ()):
        if each.split("/")[0] not in NAMESPACES or each.count("/") > 2:
            yield f"Types {each}"
    if units(provided["Severity"]["Original"]) > 64:
        yield "Severity.Original"
    fields = finding.get("ProductFields", {})
    if len(fields) > 50 or any(units(k) > 128 or units(v) > 2048 for k, v in fields.items()):
        yield "ProductFields"
    for resource in finding["Resources"]:
        if (
            units(resource["Type"]) > 256
            or units(resource["Id"]) > 2048
            or units(resource.get("Region", "x")) > 16
        ):
            yield "Resources"
    if len(finding.get("Compliance", {}).get("RelatedRequirements", ())) > 32:
        yield "RelatedRequirements"
    if units(finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "x")) > 512:
        yield "Remediation"

"""The narrow looks that predicates have: where they are, and which tables they read.

A name that a file of results gives is looked up here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.rules.predicates.net.named import TYPES
from policyengine.rules.predicates.privilege.table import CARRIERS

TABLES: Final = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::ManagedPolicy")
_EVERYBODY: Final = "policyengine.rules.iam.everybody"
NARROWS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, ...]]]] = {
    "iam.attached": (
        ("policyengine.rules.iam.attached", "ATTACHED"),
        ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group"),
    ),
    "net.named": (("policyengine.rules.predicates.net.named", "NAMED"), TYPES),
    "iam.open": ((_EVERYBODY, "OPEN"), TABLES),
    "iam.principal": ((_EVERYBODY, "PRINCIPAL"), TABLES),
    "iam.namesakes": ((_EVERYBODY, "NAMESAKES"), TABLES),
    "iam.everybody": ((_EVERYBODY, "EVERYBODY"), TABLES),
    "iam.running": (("policyengine.rules.iam.running", "RUNNING"), CARRIERS),
    "pipeline.delivery": (
        ("policyengine.rules.predicates.pipeline.delivery", "DELIVERY"),
        ("AWS::CodeBuild::Project", "AWS::ECR::Repository", "AWS::S3::Bucket"),
    ),
}
"""Name -> (module, variable), the types whose tables (account and region) are read."""

"""Tests of remediations on a moto server: what holds for every handler, tried on one resource."""

from __future__ import annotations

from policyengine.aws.models import service_model
from policyengine.remediate.declaration import Declaration


def unknown_operations(declaration: Declaration) -> list[str]:
    """Return the operations of a declaration that botocore's models do not have."""
    wrong = []
    for operation in (*declaration.reads, *declaration.writes):
        service, _, name = operation.partition(":")
        if name not in service_model(service).operation_names:
            wrong.append(operation)
    return wrong

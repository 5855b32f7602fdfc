"""botocore's models of AWS's APIs, without credentials: what an operation takes and answers."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _session() -> Any:
    import botocore.session

    return botocore.session.Session()


@cache
def service_model(service: str) -> Any:
    """Return botocore's model of a service by its client's name."""
    return _session().get_service_model(service)


def output_shape(service: str, operation: str) -> Any:
    """Return the shape of an operation's answer."""
    return service_model(service).operation_model(operation).output_shape

"""What a delivery is made of, read so that only what it names counts as read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.iam.deliveries import BESIDE, Delivery, read_delivery
from policyengine.rules.iam.held import shared_reader
from policyengine.rules.iam.reader import Reader
from policyengine.rules.iam.standins import filled
from policyengine.rules.predicates.api import Narrow, Subject


def _delivery(subject: Subject) -> Delivery:
    tables: dict[str, Sequence[Resource]] = {}

    def look(type_: str) -> Sequence[Resource]:
        if type_ not in tables:
            found = subject.tables(type_)
            tables[type_] = () if isinstance(found, Unresolved) else found
        return tables[type_]

    if subject.resource.file is None:
        return read_delivery(subject.resource, look, shared_reader())
    beside = {r.id: r for type_ in BESIDE for r in look(type_)}
    return read_delivery(subject.resource, look, Reader(lambda of, value: filled(value, of, beside)))


DELIVERY: Final = Narrow(
    "pipeline.delivery",
    lambda subject, _argument: _delivery(subject),
    lambda subject, _argument: list(_delivery(subject).looked),
)
"""Finds the delivery of a live resource, which depends on the few resources it names."""

"""Questions about the identity policies of one principal, all in one place."""

from policyengine.iam.administration import (
    Administered,
    NotAdministrator,
    administered,
    administrator,
    service_administrators,
)
from policyengine.iam.escalating import Escalates, Escalation, escalates, escalations
from policyengine.iam.exposure import Exposure, Place, Wildcard, exposures, wildcards

__all__ = [
    "Administered", "Escalates", "Escalation", "Exposure", "NotAdministrator", "Place", "Wildcard", "administered",
    "administrator", "escalates", "escalations", "exposures", "service_administrators", "wildcards",
]  # fmt: skip

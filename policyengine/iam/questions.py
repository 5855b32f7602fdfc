"""Questions about the identity policies of one principal, all in one place."""

from policyengine.iam.administration import NotAdministrator, administrator, service_administrators
from policyengine.iam.escalating import Escalates, Escalation, escalates, escalations
from policyengine.iam.exposure import Exposure, Place, Wildcard, exposures, wildcards

__all__ = [
    "Escalates", "Escalation", "Exposure", "NotAdministrator", "Place", "Wildcard", "administrator",
    "escalates", "escalations", "exposures", "service_administrators", "wildcards",
]  # fmt: skip

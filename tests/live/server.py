"""The moto server of the bench (``policyengine/testing/moto_server.py``) with what a scan of an organisation asks besides.

``python -m tests.live.server PORT``. moto has no iam:ListOrganizationsFeatures.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any

from policyengine.testing import moto_server
from policyengine.testing.moto_server import ACCOUNT as MANAGEMENT
from policyengine.testing.moto_server import environment

__all__ = ["MANAGEMENT", "environment", "running"]


def running(port: int | None = None) -> AbstractContextManager[str]:
    """Yield the endpoint of a new server, at a free port where none is given; it ends with the block."""
    return moto_server.running(port, module="tests.live.server")


def _complete() -> None:
    from moto.core.responses import ActionResult
    from moto.iam.responses import IamResponse

    def features(_self: Any) -> Any:
        return ActionResult({"OrganizationId": "o-example123", "EnabledFeatures": []})

    IamResponse.list_organizations_features = features  # type: ignore[attr-defined]  # what moto lacks


if __name__ == "__main__":
    _complete()
    moto_server.main(int(sys.argv[1]))

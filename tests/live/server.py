"""moto over HTTP in a process of its own, with what it lacks and a scan of ours asks.

``python -m tests.live.server PORT``. moto has no Cloud Control (here it lists nothing), no
iam:ListOrganizationsFeatures, and leaves out the names of policies in iam:GetAccountAuthorizationDetails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

MANAGEMENT: Final = "123456789012"
"""The account that moto gives to keys nobody made."""


@contextmanager
def running(port: int) -> Iterator[str]:
    """Yield the endpoint of a new server; it ends with the block."""
    process = subprocess.Popen(  # our own interpreter and module
        [sys.executable, "-m", "tests.live.server", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"},
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=5).close()  # our own server
                break
            except OSError:
                time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        process.wait(10)


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables that make any AWS client ask this server, and nobody else."""
    return {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def _complete() -> None:
    from moto.core.responses import ActionResult
    from moto.iam.models import ManagedPolicy
    from moto.iam.responses import IamResponse

    def features(_self: Any) -> Any:
        return ActionResult({"OrganizationId": "o-example123", "EnabledFeatures": []})

    IamResponse.list_organizations_features = features  # type: ignore[attr-defined]  # what moto lacks
    ManagedPolicy.policy_name = property(lambda policy: policy.name)  # type: ignore[attr-defined]  # as above
    ManagedPolicy.policy_id = property(lambda policy: policy.id)  # type: ignore[attr-defined]  # as above


def _with_cloud_control(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if "/cloudcontrolapi/" not in environ.get("HTTP_AUTHORIZATION", ""):
            return app(environ, start)
        start("200 OK", [("Content-Type", "application/x-amz-json-1.0")])
        return [b'{"ResourceDescriptions": []}']

    return answer


def main(port: int) -> None:
    """Serve until the process is ended."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import run_simple

    _complete()
    app = _with_cloud_control(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(int(sys.argv[1]))

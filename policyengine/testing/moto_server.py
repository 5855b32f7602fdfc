"""moto over HTTP in a process of its own, with what it lacks and ours asks: ``python -m policyengine.testing.moto_server PORT``.

moto has no Cloud Control (here it lists nothing), and leaves out the names of policies in
iam:GetAccountAuthorizationDetails.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

ACCOUNT: Final = "123456789012"
"""The account that moto gives to keys nobody made."""
_STARTING_SECONDS: Final = 60


@contextmanager
def running(port: int | None = None, *, module: str = "policyengine.testing.moto_server") -> Iterator[str]:
    """Yield the endpoint of a new server, at a free port where none is given; it ends with the block. ``module`` is what
    runs: this one, or one that completes moto further and calls :func:`main`."""
    port = port or _free_port()
    process = subprocess.Popen(  # our own interpreter and module
        [sys.executable, "-m", module, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"},
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait_for(endpoint, process)
        yield endpoint
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _STARTING_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=5).close()  # noqa: S310  # our own server
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the moto server at {endpoint} did not start")


def reset(endpoint: str) -> None:
    """Forget everything that was made."""
    request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")  # noqa: S310  # our own server
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310  # our own server


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables that make any AWS client ask this server, and nobody else."""
    return {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _complete() -> None:
    from moto.iam.models import ManagedPolicy

    ManagedPolicy.policy_name = property(lambda policy: policy.name)  # type: ignore[attr-defined]  # what moto lacks
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

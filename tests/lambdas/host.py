"""A Lambda's process: the very zip, unpacked, with nothing of ours beside it but what the runtime gives (boto3).

``python host.py FOLDER MODULE`` reads an event a line and answers each with a line; logs go to standard error.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path

FORBIDDEN = ("pydantic", "yaml", "zstandard", "click", "rich", "jsonschema", "moto", "policyengine_dev")
"""What the zip does not hold and the runtime does not have."""


class _Missing:
    def __init__(self, folder: str) -> None:
        self.names = {name for name in FORBIDDEN if not Path(folder, name).is_dir()}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


class Context:
    aws_request_id = "11111111-2222-3333-4444-555555555555"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 300_000


def main(folder: str, module: str) -> None:
    sys.meta_path.insert(0, _Missing(folder))  # type: ignore[arg-type]  # only this method is asked for
    sys.path[:] = [folder, *(p for p in sys.path if "site-packages" in p or "lib/python" in p)]
    out, sys.stdout = sys.stdout, sys.stderr
    handler = importlib.import_module(f"policyengine.lambdas.{module}").handler
    where = sys.modules["policyengine"].__file__ or ""
    assert where.startswith(folder), where
    for line in sys.stdin:
        try:
            answer = {"answer": handler(json.loads(line), Context())}
        except Exception as problem:  # noqa: BLE001  # Lambda answers whatever is raised
            traceback.print_exc()
            answer = {"error": type(problem).__name__, "text": str(problem)}
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

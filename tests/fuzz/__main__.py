"""``python -m tests.fuzz [SECONDS] [TARGET...]``: every target for its share of the time; exits 1 on a failure."""

from __future__ import annotations

import argparse
import sys

from .drive import DATABASE, Found, drive
from .targets import targets


def main() -> int:
    """Fuzz and say what was found."""
    every = {target.name: target for target in targets()}
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=60.0, help="for all targets together")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(every))
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in every]
    if unknown:
        parser.error(f"no target `{unknown[0]}`; known are {', '.join(every)}")
    chosen = [every[name] for name in options.targets or every]
    failed = 0
    for target in chosen:
        try:
            count = drive(target, options.seconds / len(chosen))
        except Found as found:
            failed += 1
            print(f"FAIL {found}", flush=True)
        else:
            print(f"ok   {target.name}: {count:,} inputs", flush=True)
    if failed:
        print(f"{failed} targets fail; the inputs are kept in {DATABASE} and tried first the next time")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

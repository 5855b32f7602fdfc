"""Write the bill of materials of a wheel, or of the zip that the Lambda functions run: CycloneDX 1.6, JSON.

    python tools/sbom.py build/release/policyengine_aws-*.whl -o build/release/sbom.json
    python tools/sbom.py function.zip -o function.sbom.json

The components are the distribution itself and everything that installing it brings, in the versions of ``constraints.txt``,
as the environment that runs this has them: it says so where a distribution is missing, or of another version. The same
file and the same constraints give the same bytes: the serial number is made of them, the time is SOURCE_DATE_EPOCH,
else that of the newest entry in the file. https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import os
import sys
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[1]
CONSTRAINTS: Final = ROOT / "constraints.txt"
NAMESPACE: Final = uuid.UUID("6f2c1f0a-6c0c-5e0e-9d8e-0f6f1d6a7b11")
_LICENSES: Final = {
    "Apache Software License": "Apache-2.0", "MIT License": "MIT", "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC", "Python Software Foundation License": "PSF-2.0",
}  # fmt: skip


class Mismatch(Exception):
    """The environment does not have what the constraints say."""


def pins(path: Path = CONSTRAINTS) -> dict[str, str]:
    """Return name -> version of a file of constraints."""
    found: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines():
        name, equals, version = line.partition("#")[0].strip().partition("==")
        if equals:
            found[canonicalize_name(name)] = version
    return found


def bill(file: Path, constraints: Path = CONSTRAINTS) -> str:
    """Return the bill of a wheel or a zip of functions as JSON. Raises Mismatch where it would not be true."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        times = [member.date_time for member in archive.infolist()]
        inside = next((name for name in names if name.endswith(".dist-info/METADATA")), None)
        own = BytesParser().parsebytes(archive.read(inside)) if inside is not None else None
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    pinned = pins(constraints)
    if own is not None:
        root, wanted = _of_wheel(own, digest), own.get_all("Requires-Dist") or []
    else:
        root, wanted = (
            _of_zip(file, digest),
            (["PyYAML"] if any(name.startswith("yaml/") for name in names) else []),
        )
    bom = Bom(
        serial_number=uuid.uuid5(NAMESPACE, digest + hashlib.sha256(constraints.read_bytes()).hexdigest())
    )
    bom.metadata = BomMetaData(component=root, timestamp=_time(times))
    _add(bom, root, wanted, pinned)
    return str(JsonV1Dot6(bom).output_as_string(indent=1)) + "\n"


def _time(times: list[tuple[int, int, int, int, int, int]]) -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is not None:
        return datetime.fromtimestamp(int(epoch), UTC)
    return datetime(*max(times), tzinfo=UTC)


def _of_wheel(own: Message, digest: str) -> Component:
    return _component(own, str(own["Name"]), str(own["Version"]), ComponentType.APPLICATION, digest)


def _of_zip(file: Path, digest: str) -> Component:
    sys.path.insert(0, str(ROOT))
    from policyengine import __version__

    return Component(
        name=file.stem, version=__version__, type=ComponentType.APPLICATION, bom_ref=f"file:{file.name}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        properties=[Property(name="policyengine:runtime", value="boto3 and the standard library come with AWS Lambda's runtime")],
    )  # fmt: skip


def _add(bom: Bom, root: Component, wanted: list[str], pinned: dict[str, str]) -> None:
    """Add what the root requires, and what that requires, with the edges between them."""
    made: dict[str, Component] = {}
    waiting: list[tuple[Component, list[str], frozenset[str]]] = [(root, wanted, frozenset())]
    edges: dict[str, tuple[Component, list[Component]]] = {}
    while waiting:
        parent, requirements, extras = waiting.pop()
        for requirement in _needed(requirements, extras):
            name = canonicalize_name(requirement.name)
            if name not in made:
                metadata = _installed(name, pinned)
                made[name] = _component(
                    metadata, str(metadata["Name"]), str(metadata["Version"]), ComponentType.LIBRARY
                )
                waiting.append(
                    (made[name], metadata.get_all("Requires-Dist") or [], frozenset(requirement.extras))
                )
            edges.setdefault(str(parent.bom_ref), (parent, []))[1].append(made[name])
    for component in made.values():
        bom.components.add(component)
        bom.register_dependency(component, edges.get(str(component.bom_ref), (component, []))[1])
    bom.register_dependency(root, edges.get(str(root.bom_ref), (root, []))[1])


def _needed(requirements: list[str], extras: frozenset[str]) -> Iterator[Requirement]:
    """Yield those that are needed without extras of ours, on Python 3.11 and Linux: where the Lambdas and CI run."""
    environment: dict[str, str] = {name: str(value) for name, value in default_environment().items()}
    environment |= {
        "python_version": "3.11", "python_full_version": "3.11.0", "sys_platform": "linux", "platform_system": "Linux",
        "os_name": "posix",
    }  # fmt: skip
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras)):
            yield requirement


def _installed(name: str, pinned: dict[str, str]) -> Message:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise Mismatch(
            f"`{name}` is not installed here; run this in the environment of `make venv`"
        ) from None
    if pinned.get(name) != found.version:
        raise Mismatch(
            f"`{name}` is {found.version} here, and {pinned.get(name)} in constraints.txt; `make venv` again"
        )
    metadata: Message = found.metadata  # type: ignore[assignment]  # a Message by another protocol
    return metadata


def _component(
    metadata: Message, name: str, version: str, kind: ComponentType, digest: str | None = None
) -> Component:
    purl = PackageURL("pypi", None, str(canonicalize_name(name)), version)
    spoken = _license(metadata)
    made = (
        [LicenseFactory().make_from_string(spoken, license_acknowledgement=LicenseAcknowledgement.DECLARED)]
        if spoken
        else []
    )
    return Component(
        name=name, version=version, type=kind, bom_ref=purl.to_string(), purl=purl, licenses=made,
        description=str(metadata["Summary"]) if metadata["Summary"] else None, scope=ComponentScope.REQUIRED,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest is not None else [],
    )  # fmt: skip


def _license(metadata: Message) -> str | None:
    """Return what a distribution says of its license: an SPDX expression, a classifier, or a word of its own."""
    if metadata["License-Expression"]:
        return str(metadata["License-Expression"])
    for classifier in metadata.get_all("Classifier") or []:
        if classifier.startswith("License :: OSI Approved :: "):
            said = classifier.rsplit(" :: ", 1)[1]
            return _LICENSES.get(said, said)
    said = str(metadata["License"] or "").strip()
    return said.splitlines()[0][:100] if said else None


def main() -> int:
    """Write the bill of the file named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    try:
        given.output.write_text(bill(given.file), "utf-8")
    except (Mismatch, OSError, zipfile.BadZipFile) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"wrote {given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A newcomer's repository: 288 public templates, `init`, a pull request that opens one port, `review`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import command
from tests.cli.test_review import Repo

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "cloudformation"
GROUP = "150_EC2InstanceWithSecurityGroupSample.yaml"
PORT = "        - {IpProtocol: tcp, FromPort: 3389, ToPort: 3389, CidrIp: 0.0.0.0/0}\n"


@pytest.mark.slow
def test_one_port_in_a_repository_of_public_templates_is_one_finding(tmp_path: Path) -> None:
    """The security group was open to the internet before, on another port: that is not told again."""
    if not CORPUS.is_dir():
        pytest.skip("the corpora are not beside the project")
    repo = Repo(tmp_path / "repo")
    shutil.copytree(CORPUS, repo.root, dirs_exist_ok=True)
    repo.commit()
    assert command(repo.root, "init").code == 0
    repo.commit()
    assert command(repo.root, "review", "--base", "HEAD").code == 0
    changed = next(repo.root.rglob(GROUP))
    marker = "      SecurityGroupIngress:\n"
    before = changed.read_text()
    changed.write_text(before.replace(marker, marker + PORT, 1))
    found = command(repo.root, "review", "--base", "HEAD", "--format", "json")
    assert found.code == 1, found.err
    worse = [e for e in json.loads(found.out)["entries"] if e["effect"] == "worse"]
    assert [(e["kind"], e["file"], e["line"]) for e in worse] == [
        ("network", changed.relative_to(repo.root).as_posix(), before[: before.index(marker)].count("\n") + 2)
    ]
    assert "3389" in worse[0]["title"]

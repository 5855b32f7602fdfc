from pathlib import Path
from typing import Any

import pytest
import yaml

from .plans import read, shown

CASES = yaml.safe_load((Path(__file__).parent / "golden.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["case"])
def test_a_plan_gives_these_canonical_resources(case: dict[str, Any], tmp_path: Path) -> None:
    found = read(case["plan"], tmp_path)
    assert sorted(found) == sorted(case["expect"])
    for id, expected in case["expect"].items():
        resource = found[id]
        actual = {
            "type": resource.type,
            "properties": shown(resource.properties),
            "related": shown(resource.related),
            **{k: shown(getattr(resource, k)) for k in ("tags", "account", "region") if k in expected},
        }
        assert actual == {"related": {}, **expected}, id

"""How regions are called, in every partition."""

from __future__ import annotations

from typing import Final

REGION_NAME: Final = r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}"
"""Matches the name of a region: ``eu-west-1``, ``us-gov-east-1``, ``us-isob-east-1``, ``eusc-de-east-1``, as the partitions of
botocore's endpoints have them. In linear time."""

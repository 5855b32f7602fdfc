"""Our declarations about each type, by service. Adding a module here is what registers it."""

from __future__ import annotations

from policyengine.catalog.types import s3

ALL = (s3.TYPES,)

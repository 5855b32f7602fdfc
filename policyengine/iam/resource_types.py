"""Wildcards inside the resource type of an IAM ARN (``arn:aws:iam::123456789012:u*``).

"You cannot use a wildcard in the portion of the ARN that specifies the resource type, such as the term
user in an IAM ARN. For example, the following is not allowed: arn:aws:iam::123456789012:u*":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html. The page does not say what a stored
policy with one does, so what matches only that way is not decided. Everywhere else a wildcard stands for
"everything within a segment, including characters like a forward slash":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html.
"""

from __future__ import annotations

import re
from typing import Final

_FORBIDDEN: Final = re.compile(r"arn:[^:]*:iam:[^:]*:[^:]*:[A-Za-z-]+[*?]+\Z")


def wildcard_in_type(pattern: str) -> bool:
    """Say whether a pattern ends with a wildcard in the middle of its resource type."""
    return _FORBIDDEN.match(pattern) is not None

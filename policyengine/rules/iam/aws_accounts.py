"""Accounts that are AWS's own: those that Elastic Load Balancing writes access logs from.

Bucket policies name them, one for each region that opened before August 2022; newer ones name a service:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html.
"""

from __future__ import annotations

from typing import Final

LOG_WRITERS: Final = frozenset(
    {
        "127311923021", "033677994240", "027434742980", "797873946194", "098369216593", "754344448648",
        "589379963580", "718504428378", "383597477331", "600734575887", "114774131450", "783225319266",
        "582318560864", "985666609251", "054676820928", "156460612806", "652711504416", "635631232127",
        "009996457667", "897822967062", "076674570225", "507241528517", "048591011584", "190560391635",
        "638102146993", "037604701340",
    }
)  # fmt: skip

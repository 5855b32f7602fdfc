"""``Fn::Cidr``: the address blocks it gives."""

from __future__ import annotations

import ipaddress
from itertools import islice
from typing import Final

_MOST: Final = 256


def subnets(block: str, count: str, bits: str | None = None) -> list[str]:
    """Return the first ``count`` blocks of ``bits`` host bits inside ``block``.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html:
    count is 1 to 256; 8 bits (a /24) unless said otherwise. Raises ValueError with a message.
    """
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        raise ValueError(f"`{block[:60]}` is no address block") from None
    number = _integer(count, "count", 1, _MOST)
    prefix = network.max_prefixlen - _integer(bits or "8", "bits", 1, network.max_prefixlen)
    if prefix < network.prefixlen or number > 2 ** (prefix - network.prefixlen):
        raise ValueError(f"`{block}` has no room for {number} blocks of /{prefix}")
    return [str(found) for found in islice(network.subnets(new_prefix=prefix), number)]


def _integer(text: str, name: str, least: int, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 5 and least <= int(text) <= most:
        return int(text)
    raise ValueError(f"{name} is `{text[:20]}`, not a number from {least} to {most}")

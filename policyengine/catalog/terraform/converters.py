"""The converters of the mapping language: small functions of one known value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Conversion = Callable[[Any], Any]


def _invert(value: Any) -> Any:
    return not value if isinstance(value, bool) else value


def _words(table: Mapping[Any, Any]) -> Conversion:
    def convert(value: Any) -> Any:
        return table.get(value, value) if isinstance(value, str | bool | int) else value

    return convert


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _wrap(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _pairs(key: str, value_name: str) -> Conversion:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return [{key: k, value_name: v} for k, v in sorted(value.items()) if v is not None]

    return convert


def _each(name: str) -> Conversion:
    def convert(value: Any) -> Any:
        return [{name: v} for v in value] if isinstance(value, list) else value

    return convert


def _keyed(key: str, value_name: str) -> Conversion:
    """``[{name: a, value: b}]`` becomes ``{a: b}``: parameter groups, parameters of a task."""

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return {
            e[key]: e.get(value_name)
            for e in value
            if isinstance(e, dict) and isinstance(e.get(key), str) and e.get(value_name) is not None
        }

    return convert


def _pluck(name: str) -> Conversion:
    """``[{name: a}]`` becomes ``[a]``."""

    def convert(value: Any) -> Any:
        return (
            [e.get(name) if isinstance(e, dict) else e for e in value] if isinstance(value, list) else value
        )

    return convert


def _drop_suffix(suffix: str) -> Conversion:
    def convert(value: Any) -> Any:
        return value.removesuffix(suffix) if isinstance(value, str) else value

    return convert


CONVERTERS: Final[dict[str, Conversion | None]] = {
    "json": None,  # handled by the mapper, which knows the place to name in the error
    "not": _invert,
    "first": _first,
    "list": _wrap,
    "text": _text,
    "number": _number,
    "upper": _upper,
    "zerounset": lambda v: None if v == 0 and not isinstance(v, bool) else v,
    "pairs": _pairs("Name", "Value"),
    "keyvalue": _pairs("Key", "Value"),
    "parameters": _keyed("name", "value"),
    "parametervalues": _keyed("name", "values"),
    "names": _each("Name"),
    "rolearns": _each("RoleArn"),
    "connectionnames": _pluck("external_connection_name"),
    "repositorynames": _pluck("repository_name"),
    "certificates": lambda v: [{"CertificateArn": v}] if isinstance(v, str) else v,
    "enabled": _words({True: "Enabled", False: "Disabled"}),
    "suspended": _words({True: "Enabled", False: "Suspended"}),
    "upenabled": _words({True: "ENABLED", False: "DISABLED"}),
    "isenabled": _words({"ENABLED": True, "DISABLED": False, "Enabled": True, "Disabled": False}),
    "mfa": _words({"Enabled": True, "Disabled": False, True: True, False: False}),
    "scheme": _words({True: "internal", False: "internet-facing"}),
    "kmstype": _words({True: "KMS", False: "NONE"}),
    "tracing": _words({True: "Active", False: "PassThrough"}),
    "ruleenabled": _words({True: "ENABLED", False: "DISABLED"}),
    "nostar": _drop_suffix(":*"),
    "datalake": _each("DataLakePrincipalIdentifier"),
    "logtypes": _each("Type"),
    "acl": _words({
        "private": "Private", "public-read": "PublicRead", "public-read-write": "PublicReadWrite",
        "authenticated-read": "AuthenticatedRead", "aws-exec-read": "AwsExecRead",
        "log-delivery-write": "LogDeliveryWrite", "bucket-owner-read": "BucketOwnerRead",
        "bucket-owner-full-control": "BucketOwnerFullControl",
    }),
    # Protocol numbers as AWS writes them: "-1" is every protocol.
    "protocol": _words({"all": "-1", "ALL": "-1", -1: "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}),
    "aclprotocol": _words({"all": -1, "-1": -1, "tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "6": 6, "17": 17, "1": 1,
        "58": 58}),
}  # fmt: skip
"""Converter name -> function of a known value (never called on an unknown one)."""

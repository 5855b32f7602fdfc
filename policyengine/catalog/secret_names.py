"""Which properties hold secrets: declared by type, and names that are secret wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from policyengine.catalog import registry

EVERYWHERE: Final = frozenset(
    {
        "AccessToken", "AdminUserPassword", "AuthToken", "ClientSecret", "ConnectionPassword", "MasterUserPassword",
        "OAuthToken", "Passphrase", "Password", "PreSharedKey", "PrivateKey", "SecretAccessKey", "SecretKey",
        "SecretString", "SecretToken", "UserData",
    }
)  # fmt: skip
"""Secret under whatever type they stand: satellites and related resources have types of their own."""

PAIR_NAMES: Final = ("Name", "name", "Key", "ParameterKey")
PAIR_VALUES: Final = ("Value", "value", "ParameterValue", "DefaultValue")
"""How lists of variables, parameters and tags spell a pair; of each the first that is there."""


def secret_names(types: Iterable[str]) -> frozenset[str]:
    """Return the steps that make a value of one of these types secret."""
    return EVERYWHERE.union(*(registry.secrets(type_) for type_ in types))

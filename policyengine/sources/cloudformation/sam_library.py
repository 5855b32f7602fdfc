"""AWS's SAM translator: loaded without what it never uses here, and cut off from AWS.

The package imports boto3, botocore and jsonschema for calls that are never made here, and models
of resource types that a template may not have; together they take longer to load than all the rest
of a run. Stand-ins are in their place while it is imported; whoever asks one of them for anything
but the names that imports take gets the real module's.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, Final

from policyengine.sources.cloudformation.inputs import partition_of

NOT_PUBLISHED: Final = "https://policyengine-not-published.invalid/template"
"""Stands for the template of an application from the Serverless Application Repository."""


class _Unused:
    """Stands for a class that the translator names in annotations and ``except`` clauses."""


class _NeverRaised(Exception):
    """Stands for an exception of a client; there is no client."""


_MODELS: Final = "samtranslator.internal.schema_source.aws_serverless_"
_STAND_INS: Final[dict[str, dict[str, Any]]] = {
    "boto3": {"Session": _Unused},
    "botocore.client": {"BaseClient": _Unused},
    "botocore.config": {"Config": _Unused},
    "botocore.exceptions": {"ClientError": _NeverRaised, "EndpointConnectionError": _NeverRaised},
    "jsonschema": {},
    "jsonschema.exceptions": {"ValidationError": _NeverRaised},
    f"{_MODELS}capacity_provider": {},
    f"{_MODELS}function": {},
    f"{_MODELS}microvmimage": {},
    f"{_MODELS}networkconnector": {},
}
"""Module -> the names that are taken from it when the translator is imported."""


class _Later(ModuleType):
    """A module that is imported when something is asked of it that it does not hold."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks what kind of module this is
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Put stand-ins where modules are not loaded yet, and take them away again."""
    placed = []
    for name, members in _STAND_INS.items():
        if name not in sys.modules:
            module = _Later(name)
            module.__dict__.update(members)
            sys.modules[name] = module
            placed.append(module)
    try:
        yield
    finally:
        for module in placed:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]


def _library() -> tuple[Any, Any, Any]:
    """Return the translator's module, its parser, and the plugin for applications.

    Raises ImportError where the package is not installed.
    """
    with warnings.catch_warnings(), _stand_ins():
        warnings.simplefilter("ignore")
        parser = importlib.import_module("samtranslator.parser.parser")
        translator = importlib.import_module("samtranslator.translator.translator")
        # imported by the translator when it is used
        importlib.import_module("samtranslator.plugins.api.implicit_http_api_plugin")
        importlib.import_module("samtranslator.plugins.api.implicit_rest_api_plugin")
    return translator, parser.Parser, _prepared(translator)


@cache
def _prepared(translator: Any) -> Any:
    """Make the translator ready, once, and return the kind of plugin it gets for applications."""
    import logging

    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    _share_policy_templates(translator)
    return _without_repository(translator.ServerlessAppPlugin)


def _share_policy_templates(translator: Any) -> None:
    """Let translations share the policy templates.

    They are a file of the package; it is read, and validated against another of its files, for
    each translation otherwise.
    """
    base = getattr(translator, "PolicyTemplatesProcessor", None)
    make = "make_policy_template_for_function_plugin"
    if base is None or not hasattr(translator, make):
        return
    plugin = translator.PolicyTemplatesForResourcePlugin(_templates(base))
    setattr(translator, make, lambda: plugin)


def _templates(base: Any) -> Any:
    template = importlib.import_module("samtranslator.policy_template_processor.template").Template

    class Unvalidated(base):  # type: ignore[misc]  # the package is an extra and has no stable types
        def __init__(self, found: dict[str, Any]) -> None:
            self.policy_templates = {k: template.from_dict(k, v) for k, v in found["Templates"].items()}

    return Unvalidated(base.get_default_policy_templates_json())


def _without_repository(base: Any) -> Any:
    """Return the plugin for applications that never asks the Serverless Application Repository.

    The package's own asks AWS to make a template, with whatever credentials it finds.
    """

    class Offline(base):  # type: ignore[misc]  # the package is an extra and has no stable types
        def on_before_transform_template(self, template_dict: Any) -> None:
            """Ask nothing."""

        def on_before_transform_resource(self, logical_id: str, resource_type: str, properties: Any) -> None:
            """Leave the address of the application's template open."""
            if resource_type != self.SUPPORTED_RESOURCE_TYPE:
                return
            location = properties.get(self.LOCATION_KEY)
            keys = (self.APPLICATION_ID_KEY, self.SEMANTIC_VERSION_KEY)
            if isinstance(location, dict) and all(location.get(key) for key in keys):
                properties[self.TEMPLATE_URL_KEY] = NOT_PUBLISHED
            else:  # a file, or what the package refuses
                super().on_before_transform_resource(logical_id, resource_type, properties)

        def on_after_transform_template(self, template: Any) -> None:
            """Wait for nothing."""

    return Offline


def translate(source: dict[str, Any], values: dict[str, Any], region: str) -> dict[str, Any]:
    """Return the template that a SAM template becomes in a region; ``source`` is changed.

    Raises ImportError where the package is not installed, and whatever the translator raises for
    a template it refuses.
    """
    library, parser, applications = _library()
    translator = library.Translator(
        _ManagedPolicies(region),
        parser(),
        plugins=[applications(parameters=values)],
        boto_session=_Session(region),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: dict[str, Any] = translator.translate(
            sam_template=source, parameter_values=values, feature_toggle=None
        )
    return made


class _Session:
    """All the translator wants of a boto3 session."""

    def __init__(self, region: str) -> None:
        self.region_name = region


class _ManagedPolicies(dict[str, str]):
    """Managed policy name -> ARN, for any name: the translator asks for those a template mentions."""

    def __init__(self, region: str) -> None:
        super().__init__()
        self._partition = partition_of(region)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.isidentifier() and name[:1].isupper()

    def __missing__(self, name: str) -> str:
        return f"arn:{self._partition}:iam::aws:policy/{name}"

    def get(self, name: str, default: Any = None) -> Any:
        """Return the ARN of a policy name."""
        return self.__missing__(name) if name in self else default

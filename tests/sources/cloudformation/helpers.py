"""Opening templates from text."""

from __future__ import annotations

import textwrap

from policyengine.documents import load
from policyengine.model.finding import plain
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template

OPTIONS = SourceOptions()


def opened(text, options=OPTIONS, **more):
    document = load(textwrap.dedent(text).encode(), name="t.yaml", style="cloudformation")
    source = open_template("t.yaml", options, document, **more)
    return source, {r.id: r for r in source.resources()}


def messages(source):
    return [str(e) for e in source.errors]


def shown(resource):
    return plain(resource.properties)

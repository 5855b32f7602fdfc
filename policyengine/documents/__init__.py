"""JSON and YAML in, plain values with places out; safe to point at hostile input.

``load`` never executes anything, never builds an object that is not a dict, list, str, int, float,
bool or None, and ends quickly on nesting, alias and size bombs.
"""

from policyengine.documents.document import Document, load
from policyengine.documents.errors import MAX_BYTES, MAX_DEPTH, DocumentError, Span, Style, Syntax

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "DocumentError", "Span", "Style", "Syntax", "load"]

"""Declarations of collectors, a module per family of services (docs/collectors.md)."""

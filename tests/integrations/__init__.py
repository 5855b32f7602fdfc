"""Integrations: run as far as they can be without their hosts."""

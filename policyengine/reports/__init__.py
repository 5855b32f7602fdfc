"""Findings in, bytes out: one reporter for each format, and the pages of ``policyengine explain``."""

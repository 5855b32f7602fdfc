"""Repairing what fails: planned, approved, applied, verified, undone (docs/remediation.md, decision 14)."""

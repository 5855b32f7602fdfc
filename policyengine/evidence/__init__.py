"""Evidence: bundles that are written, signed and verified (decision 16, docs/evidence.md)."""

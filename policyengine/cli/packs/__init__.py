"""Sets of rules side by side: what changed between two of them, and whom that would hit."""

"""Backup plans, what they select, recovery objectives. ``table`` lists the predicates."""

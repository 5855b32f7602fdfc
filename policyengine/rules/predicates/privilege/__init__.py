"""What identity policies give too much of. ``table`` lists the predicates."""

"""Tags and tag policies. ``table`` lists the predicates."""

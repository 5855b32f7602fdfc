"""Who else a resource is shared with. ``table`` lists the predicates."""

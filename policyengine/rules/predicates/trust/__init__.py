"""Who may become a role. ``table`` lists the predicates."""

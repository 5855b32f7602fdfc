"""What a role cannot do without, and a Deny takes away. ``table`` lists the predicates."""

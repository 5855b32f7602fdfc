"""Models, regions and permissions of AI services. ``table`` lists the predicates."""

"""Sets of requests against the policies of a resource; who outside gets in. ``table`` lists the predicates."""

"""Tenants: who reaches what of another. ``table`` lists the predicates."""

"""Delivery pipelines: stages, duties, builds, secrets, events. ``table`` lists the predicates."""

"""CloudTrail events caught by metric filters with alarms. ``table`` lists the predicates."""

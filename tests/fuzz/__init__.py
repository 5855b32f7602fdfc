"""Hostile input for everything that reads: mutated seeds against bounded-time targets (``make fuzz``)."""

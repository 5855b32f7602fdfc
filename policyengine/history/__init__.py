"""Runs over time: what became of each finding from one run to a later one."""

"""Edits of templates that make a failing rule pass, and change nothing else."""

"""What ``examples/generate_organization.py`` writes, by subject. Not part of the package."""

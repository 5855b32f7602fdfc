"""Examples, and the script that makes the snapshot among them. Not part of the package."""

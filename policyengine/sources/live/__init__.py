"""Live accounts as a source: what runs now, collected into a snapshot."""

"""Bytes or API in, canonical resources out; no opinions."""

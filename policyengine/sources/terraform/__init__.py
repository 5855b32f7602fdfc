"""Terraform and OpenTofu plans in, canonical resources out: ``marks`` knows a plan, ``plan`` reads it."""

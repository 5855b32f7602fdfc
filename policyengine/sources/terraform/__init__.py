"""Terraform and OpenTofu plans in, canonical resources out."""

from policyengine.sources.terraform.plan import PlanSource, is_plan, is_state, open_plan

__all__ = ["PlanSource", "is_plan", "is_state", "open_plan"]

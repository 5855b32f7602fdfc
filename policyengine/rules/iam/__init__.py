"""From resources of any source to the documents and principals that ``policyengine.iam`` reasons about."""

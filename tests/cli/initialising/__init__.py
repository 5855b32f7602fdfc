"""`policyengine init`."""

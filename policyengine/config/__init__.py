"""What a project says about itself: ``policyengine.yaml``."""

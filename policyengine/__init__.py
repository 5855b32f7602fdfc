"""policyengine: a policy-as-code compliance engine for AWS.

The package root imports nothing, so that `import policyengine` costs nothing; the pieces are
described in ``docs/architecture.md``.
"""

__version__ = "0.1.0"

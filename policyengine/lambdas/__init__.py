"""What runs in AWS: thin handlers over engine and kernel (docs/lambdas.md, decision 15).

Nothing here needs a native wheel: a test imports every handler with pydantic, PyYAML and zstandard out of reach.
"""

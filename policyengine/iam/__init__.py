"""AWS policy documents and what they decide. Imports nothing else of this project.

Use the modules: ``documents`` (read and check a policy), ``request`` (what is asked, and by whom),
``authorize`` (decide it), ``scenarios`` (requests with their policies, from JSON).
"""

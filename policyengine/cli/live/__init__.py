"""Live accounts from the command line: whom to ask, what the rules need, what to say meanwhile."""

"""Rules of other tools in our language: Cloud Custodian's policies, CloudFormation Guard's rules.

``custodian`` and ``guard`` read a file into :class:`~policyengine.migrate.drafts.Draft` and
:class:`~policyengine.migrate.drafts.Left`; ``expressions`` is what both are read into, with the meaning that the other
tool gives it; ``samples`` makes test cases of that meaning, ``writing`` the files. What is not understood whole is
left, with its place and the reason: nothing is converted in part.
"""

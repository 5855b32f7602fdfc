"""OSCAL 1.2.3 (https://pages.nist.gov/OSCAL/): assessment results and a plan of action and milestones.

:mod:`.results` and :mod:`.poam` are the two reports; documents are plain mappings that follow NIST's JSON
schemas. The same run gives the same bytes: every UUID is a UUIDv5 over the id of the run and what it names.
"""

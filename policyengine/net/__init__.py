"""Reasoning about networks: exact address and port sets, rules of groups and ACLs, reachability.

Imports nothing of the rest of the project. What is not known is an :class:`~policyengine.net.opaque.Opaque`
with its reason, and every question about partly known input is answered True, False or Opaque.

- ``intervals``: sets of integers as sorted intervals
- ``addresses``: CIDR blocks and address sets of both families; ``public()``
- ``special``: the IANA special-purpose registries, pinned
- ``services``: protocols and ports
- ``bounds``: a set that is only known from below and from above
- ``groups``: security-group rules, who can reach a port, what counts as the internet
- ``acls``: network ACLs
- ``reachability``: routes, public addresses, VPC block public access, all of it together
"""

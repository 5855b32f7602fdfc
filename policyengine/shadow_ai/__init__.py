"""Which AI services are looked up, from where: Route 53 Resolver query logs held against a list of domains.

A DNS lookup is evidence of a lookup, not of traffic; docs/shadow-ai.md says what the logs cannot show.
"""

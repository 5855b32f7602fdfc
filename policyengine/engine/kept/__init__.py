"""Results kept between runs: a resource is judged again only by rules for which something has changed.

``keeping`` is the evaluator that does it, ``recording`` sees what a rule reads of other resources, ``digests``
and ``stamps`` say whether it is what it was, ``told`` writes findings down and reads them, ``file`` is where they
are. `docs/decisions/0013-results-kept-between-runs.md` says why it is so.
"""

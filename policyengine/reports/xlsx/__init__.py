"""``--format xlsx``: a workbook for people who work in spreadsheets. :mod:`.report` is the report."""

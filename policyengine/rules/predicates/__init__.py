"""Named checks: the only bridge from rules to the reasoning libraries; ``table.py`` lists them."""

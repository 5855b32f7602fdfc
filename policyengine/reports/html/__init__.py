"""``--format html=FILE``: the whole run as one page that needs no network, no server and, for reading, no script."""

"""Who reaches what over the network. ``table`` lists the predicates."""

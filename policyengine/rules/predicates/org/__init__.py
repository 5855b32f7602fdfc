"""What the SCPs and other policies of an organisation leave open. ``table`` lists the predicates."""

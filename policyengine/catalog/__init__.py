"""What AWS types look like: properties, defaults, relations, and how each source spells them."""

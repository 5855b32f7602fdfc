"""Two states side by side: what is declared and what runs."""

"""Rules: what a YAML file may say, how it is checked, and the intermediate form it becomes."""

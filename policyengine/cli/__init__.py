"""The command line: thin, each command in a module of its own, loaded when it is used."""

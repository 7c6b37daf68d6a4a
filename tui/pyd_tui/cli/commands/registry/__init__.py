"""`pyd registry` and its subcommands."""

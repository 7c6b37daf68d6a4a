"""`pyd system` and its subcommands."""

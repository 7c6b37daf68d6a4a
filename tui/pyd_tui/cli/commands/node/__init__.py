"""`pyd node` and its subcommands."""

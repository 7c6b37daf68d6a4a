"""`pyd image` and its subcommands."""

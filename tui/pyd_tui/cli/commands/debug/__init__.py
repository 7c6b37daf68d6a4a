"""`pyd debug` and its subcommands."""

"""`pyd network` and its subcommands."""

"""`pyd secret` and its subcommands."""

"""`pyd stack` and its subcommands."""

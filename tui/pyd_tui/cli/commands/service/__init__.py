"""`pyd service` and its subcommands."""

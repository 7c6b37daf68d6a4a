"""`pyd context` and its subcommands."""

"""`pyd container` and its subcommands."""

"""`pyd config` and its subcommands."""

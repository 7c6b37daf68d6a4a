"""`pyd volume` and its subcommands."""

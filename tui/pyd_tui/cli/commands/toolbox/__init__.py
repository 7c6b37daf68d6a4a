"""`pyd toolbox` and its subcommands."""

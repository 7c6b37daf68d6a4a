"""`pyd triage` and its subcommands."""

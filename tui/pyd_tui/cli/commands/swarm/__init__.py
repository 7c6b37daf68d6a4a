"""`pyd swarm` and its subcommands."""

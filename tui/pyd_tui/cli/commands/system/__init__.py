"""`pyd system` and its subcommands, `pyd daemon` and `pyd version`."""

"""`pyd builder` and its subcommands."""

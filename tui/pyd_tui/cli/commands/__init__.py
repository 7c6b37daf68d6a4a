"""The `pyd` commands: `commands/NOUN/VERB.py`, and `commands/NOUN/group.py` for the noun itself."""

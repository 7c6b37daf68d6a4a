"""Commands for registries: `pyd login`, `logout` and `search`."""

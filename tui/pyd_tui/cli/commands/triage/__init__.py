"""Commands about deaths: `pyd triage`, `history` and `record`."""

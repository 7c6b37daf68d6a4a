"""From model to cells and records: pure, so that hostile names can be tried on it."""

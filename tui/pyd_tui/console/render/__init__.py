"""Rendering of model objects as cells and records: pure functions, so that tests can pass hostile names."""

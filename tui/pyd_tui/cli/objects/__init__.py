"""Helpers for objects of any kind: names, bulk actions, archives, inspect and prune."""

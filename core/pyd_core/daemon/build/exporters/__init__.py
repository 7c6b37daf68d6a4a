"""Exporters: what becomes of the result of a build."""

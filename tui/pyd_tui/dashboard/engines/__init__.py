"""Connections to engines, and what the dashboard knows of them."""

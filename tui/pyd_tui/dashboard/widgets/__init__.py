"""Widgets independent of containers: virtual lists, a prompt, a tab strip."""

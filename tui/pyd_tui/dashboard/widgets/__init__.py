"""Widgets that know nothing of containers: virtual lists, a prompt, a tab strip."""

"""Checks of whether debug sessions work here, in the order in which a session would meet the obstacles."""

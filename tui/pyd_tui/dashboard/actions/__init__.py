"""Actions of the dashboard on containers and other objects."""

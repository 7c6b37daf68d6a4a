"""Terminal output that the command line and the debug shell share."""

"""Commands, options, output and errors that the command line and the debug shell share."""

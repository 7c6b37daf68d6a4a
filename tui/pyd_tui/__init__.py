"""Everything of pyd that draws on a terminal: the command line, the dashboard and the debug shell."""

"""The builtins of the debug shell, one module each; `pyd_tui.shell.table` names them."""

"""The builtins of the debug shell, one module each; `pyd_tui.shell.builtin_table` names them."""

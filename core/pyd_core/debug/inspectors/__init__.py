"""What builtins find out about a target: functions from an `Access` to structs, and nothing drawn."""

"""Inspectors of a target for builtins: functions from an `Access` to structs, which draw nothing."""

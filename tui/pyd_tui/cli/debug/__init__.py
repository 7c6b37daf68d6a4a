"""Helpers of `pyd debug` and `pyd toolbox`."""

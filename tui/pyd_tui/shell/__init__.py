"""The interactive debug shell: a line editor of ours over one bash in the target, and builtins."""

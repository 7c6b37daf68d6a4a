"""The debug shell's core: the target, the view of its files, the join, and the toolbox."""

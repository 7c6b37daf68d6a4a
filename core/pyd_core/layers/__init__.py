"""Contents of image layers: files that each adds, changes and removes, and the space this wastes."""

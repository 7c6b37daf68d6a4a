"""What is in the layers of an image: files that each adds, changes and removes, and what that wastes."""

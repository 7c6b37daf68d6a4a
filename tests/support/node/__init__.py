"""A real containerd and pods on it, for tests of the node provider."""

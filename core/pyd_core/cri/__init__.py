"""containerd and the CRI of a Kubernetes node as providers of containers."""

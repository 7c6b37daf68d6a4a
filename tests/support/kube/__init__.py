"""A scripted Kubernetes API server, and the records of a real one that it serves."""

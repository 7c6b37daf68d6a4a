"""What runs processes: the OCI runtime, conmon that holds each container, and the children of this process."""

"""Process runtimes: the OCI runtime, conmon, which supervises each container, and the engine's subprocesses."""

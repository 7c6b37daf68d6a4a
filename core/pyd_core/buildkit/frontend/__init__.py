"""The Dockerfile front end: compiles Dockerfiles to LLB and image configurations."""

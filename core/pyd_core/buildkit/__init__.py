"""BuildKit: its messages, LLB, the Dockerfile front end, and both ends of its sessions."""

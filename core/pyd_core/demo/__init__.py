"""A small playground: containers in the states that people meet, made without a registry."""

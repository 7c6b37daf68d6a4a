"""Small playground: containers in common states, built without a registry."""

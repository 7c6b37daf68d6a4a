"""Image builds as in the classic builder: a Dockerfile's instructions one after another, each creating an image."""

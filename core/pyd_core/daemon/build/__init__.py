"""Building images as the classic builder does: a Dockerfile's instructions one after another, each an image."""

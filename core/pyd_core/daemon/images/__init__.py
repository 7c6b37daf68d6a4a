"""Images: references, content-addressed blobs, unpacked layers, archives and registries."""

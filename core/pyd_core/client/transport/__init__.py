"""How bytes reach an engine. One seam, `base.Transport`; everything above it is the same for every engine and place."""

"""Palettes, styles and drawing for limited terminals."""

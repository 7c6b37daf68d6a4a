"""Pure functions: what the core knows in, styled pieces of text out. Nothing here touches the screen."""

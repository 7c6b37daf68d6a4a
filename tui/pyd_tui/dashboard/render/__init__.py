"""Pure functions from the core's data to styled text; nothing here touches the screen."""

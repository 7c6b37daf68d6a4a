"""Sessions of build clients, and what the engine requests over them."""

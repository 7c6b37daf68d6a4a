"""Transports to engines: one interface, `base.Transport`, so that callers are the same for all of them."""

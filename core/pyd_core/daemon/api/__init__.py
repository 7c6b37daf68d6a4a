"""The Docker Engine API: a small HTTP server, the table of routes, and a module of handlers for each kind of object."""

from __future__ import annotations

from pyd_core.daemon.api.routes import Dispatch


def load_handlers() -> Dispatch:
    """Load every handler and return the dispatcher."""
    # The handlers register themselves.
    from pyd_core.daemon.api import (  # noqa: F401, PLC0415
        build,
        build_cache,
        build_sessions,
        containers,
        execs,
        files,
        images,
        networks,
        not_implemented,
        registries,
        streams,
        system,
        usage,
        volumes,
    )
    from pyd_core.daemon.api.routes import dispatch  # noqa: PLC0415

    return dispatch

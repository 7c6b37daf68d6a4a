"""Access to a target for builtins, without a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from pyd_core.client.api_client import ApiClient
from pyd_core.debug.access import Access
from pyd_core.debug.local import LocalAccess
from pyd_core.debug.resolve import open_engine, resolve
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.debug.target import LocalTarget, NetworkTarget, RemoteTarget, StoppedTarget
from pyd_core.debug.toolbox.selection import find_toolbox
from pyd_core.errors import InvalidInput

if TYPE_CHECKING:
    from pyd_core.debug.user_io import UserIO


@contextmanager
def open_access(request: SessionRequest, io: UserIO) -> Iterator[Access]:
    """Open access to a target for as long as the block lasts; one that doesn't run is set up as it would start.

    Args:
        request: The engine, the target, and how it is entered.
        io: Shows notices and progress.

    Raises:
        PydError: The target can't be reached.
    """
    if request.options.hold or request.options.keeps_changes:
        raise InvalidInput("a builtin keeps no changes", hint="leave out --hold, --diff, --apply and --save")
    with open_engine(request.endpoint) as engine, _open(engine, request, io) as access:
        yield access


@contextmanager
def _open(engine: ApiClient, request: SessionRequest, io: UserIO) -> Iterator[Access]:
    target = resolve(engine, request)
    match target:
        case NetworkTarget():
            from pyd_core.debug.network_member import join_network  # noqa: PLC0415 - few targets need it

            with join_network(engine, target) as container:
                options = msgspec.structs.replace(request.options, target=container.id)
                with _open(engine, msgspec.structs.replace(request, options=options), io) as access:
                    yield access
        case RemoteTarget():
            from pyd_core.debug.helper.access import open_helper_access  # noqa: PLC0415 - local targets don't need it

            with open_helper_access(engine, request, target, io) as access:
                yield access
        case StoppedTarget():
            from pyd_core.debug.stopped.session import open_stopped  # noqa: PLC0415 - running targets don't need it

            toolbox = find_toolbox(io.progress)
            with open_stopped(engine, target.container, request, toolbox, io) as (staged, _):
                yield LocalAccess(staged, toolbox, request.options)
        case LocalTarget():
            yield LocalAccess(target, find_toolbox(io.progress), request.options)

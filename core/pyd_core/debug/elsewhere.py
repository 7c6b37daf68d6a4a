"""Further access to a target that a session has entered through a helper or a debug container."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from pyd_core.debug.access import Access
from pyd_core.debug.sessions.request import SessionRequest
from pyd_core.model.container import Container

if TYPE_CHECKING:
    from pyd_core.debug.sessions.debug_session import DebugSession
    from pyd_core.debug.sessions.supervisor_process import Supervisor
    from pyd_core.debug.user_io import UserIO


def remote_access(request: SessionRequest, entered: Container, io: UserIO) -> AbstractContextManager[Access]:
    """Open access to the container that a session is in, for its builtins.

    Args:
        request: The session's.
        entered: The container that it is in.
        io: Shows notices.
    """
    if request.endpoint.is_cluster:
        from pyd_core.debug.pod.joined import open_pod_access  # noqa: PLC0415 - only for clusters

        return open_pod_access(request, entered)
    from pyd_core.debug.helper.access import open_session_access  # noqa: PLC0415 - only for remote targets

    return open_session_access(request, entered, io)


def remote_session(
    request: SessionRequest, entered: Container, supervisor: Supervisor, io: UserIO
) -> AbstractContextManager[DebugSession]:
    """Prepare another shell in the container that a session is in; it isn't started yet."""
    if request.endpoint.is_cluster:
        from pyd_core.debug.pod.joined import additional_pod_session  # noqa: PLC0415 - only for clusters

        return additional_pod_session(request, entered, supervisor, io)
    from pyd_core.debug.helper.session import additional_session  # noqa: PLC0415 - only for remote targets

    return additional_session(request, entered, supervisor, io)

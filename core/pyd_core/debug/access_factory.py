"""From a target's name to the `Access` that builtins use, without a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyd_core.client.api_client import ApiClient
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import BlockingTransport, run_now
from pyd_core.debug.access import Access
from pyd_core.debug.local import LocalAccess
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import find_subject
from pyd_core.debug.session import find_toolbox, reason_not_local
from pyd_core.debug.target import Target, running_target
from pyd_core.errors import InvalidInput, Unsupported
from pyd_core.model.container import Container

if TYPE_CHECKING:
    from pyd_core.debug.toolbox.apt import Progress


@contextmanager
def open_access(
    endpoint: Endpoint, options: DebugOptions, *, notify: Callable[[str], None], progress: Progress
) -> Iterator[Access]:
    """Gives access to a target as long as the block lasts; one that doesn't run is set up as it would start.

    Args:
        endpoint: The engine that has it.
        options: Names the target; how it is entered.
        notify: Told lines for the user.
        progress: Told how the making of the toolbox goes, or the copying of files.

    Raises:
        PydError: It can't be reached.
    """
    if options.hold or options.keeps_changes:
        raise InvalidInput("a builtin keeps no changes", hint="leave out --hold, --diff, --apply and --save")
    why = reason_not_local(endpoint, options) or ("--tier asks for one" if options.tier is not None else "")
    subject: Container | Target | None = None
    if not why:
        engine = _session(endpoint)
        engine.require_writable()  # builtins can write into it, and ask no engine
        subject = run_now(find_subject(engine, options.target))
        if isinstance(subject, Container) and subject.state.pid:
            try:
                subject = running_target(subject)
            except Unsupported as error:
                if error.reference != "not-local":
                    raise
                subject, why = None, error.message
    if subject is None:
        from pyd_core.debug.helper.access import through_helper  # noqa: PLC0415 - what is here doesn't pay for it

        with through_helper(endpoint, options, why=why, notify=notify, progress=progress) as access:
            yield access
    elif isinstance(subject, Target):
        yield LocalAccess(subject, find_toolbox(progress), options)
    else:
        from pyd_core.debug.stopped.session import entered  # noqa: PLC0415 - running containers don't pay for it

        toolbox = find_toolbox(progress)
        with entered(_session(endpoint), subject, options, toolbox, notify=notify, progress=progress) as (target, _):
            yield LocalAccess(target, toolbox, options)


def _session(endpoint: Endpoint) -> ApiClient:
    return ApiClient(BlockingTransport(endpoint), where=endpoint.url, read_only=endpoint.read_only)

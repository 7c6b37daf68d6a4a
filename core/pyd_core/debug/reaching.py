"""From a target's name to the `Access` that builtins use, without a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyd_core.debug.local import LocalAccess
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.reference import find_subject
from pyd_core.debug.session import find_toolbox, require_local
from pyd_core.debug.target import running_target
from pyd_core.engine.endpoint import Endpoint
from pyd_core.engine.session import Session
from pyd_core.engine.transport.blocking import BlockingTransport, run_now
from pyd_core.errors import InvalidInput
from pyd_core.model.container import Container

if TYPE_CHECKING:
    from pyd_core.debug.toolbox.apt import Progress


@contextmanager
def reached(
    endpoint: Endpoint, options: DebugOptions, *, notify: Callable[[str], None], progress: Progress
) -> Iterator[LocalAccess]:
    """Gives access to a target as long as the block lasts; one that doesn't run is set up on a stage.

    Args:
        endpoint: The engine that has it; must be on this machine.
        options: Names the target; how it is entered.
        notify: Told lines for the user.
        progress: Told how the making of the toolbox goes, or the copying of files.

    Raises:
        PydError: It can't be reached.
    """
    require_local(endpoint)
    if options.hold or options.keeps_changes:
        raise InvalidInput("a builtin keeps no changes", hint="leave out --hold, --diff, --apply and --save")
    engine = Session(BlockingTransport(endpoint), where=endpoint.url, read_only=endpoint.read_only)
    engine.require_changes()  # builtins can write into it, and ask no engine
    subject = run_now(find_subject(engine, options.target))
    toolbox = find_toolbox(progress)
    if not isinstance(subject, Container):
        yield LocalAccess(subject, toolbox, options)
    elif subject.state.pid:
        yield LocalAccess(running_target(subject), toolbox, options)
    else:
        from pyd_core.debug.offline.session import entered  # noqa: PLC0415 - running containers don't pay for it

        with entered(engine, subject, options, toolbox, notify=notify, progress=progress) as (target, _):
            yield LocalAccess(target, toolbox, options)

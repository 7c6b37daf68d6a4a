"""The line that says how a session's target ended."""

from __future__ import annotations

import signal

from pyd_core.client.containers import ContainersApi
from pyd_core.debug.target import LocalTarget, RemoteTarget
from pyd_core.errors import PydError


async def describe_exit(containers: ContainersApi, target: LocalTarget | RemoteTarget) -> str:
    """Say how the target ended, as far as the engine tells."""
    if not target.container.id:  # a process by its number
        return f"{target.name} has ended; the session ended with it"
    try:
        state = (await containers.inspect(target.container.id)).state
        if state.pid and state.pid != target.container.state.pid:
            return f"{target.name} has ended and was started again; the session ended with it"
        # To wait for an end that the engine knows of would be, with a container in a crash loop, to wait for the next.
        code = (await containers.wait(target.container.id)).status_code if state.pid else state.exit_code
    except PydError:
        return f"{target.name} has ended and was removed"
    by = f", killed by {signal.Signals(code - 128).name}" if 128 < code < 128 + 32 else ""
    return f"{target.name} has ended with exit code {code}{by}; the session ended with it"

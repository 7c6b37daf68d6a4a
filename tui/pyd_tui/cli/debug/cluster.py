"""`pyd debug` in a cluster."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from pyd_core.client.endpoint import CLUSTER_PREFIX, Endpoint
from pyd_core.debug.pod.options import PodDebugOptions
from pyd_core.kube.subject import is_cluster_subject
from pyd_tui.console import failures

if TYPE_CHECKING:
    from pyd_tui.console.global_options import State

IMAGE_VARIABLE = "PYD_DEBUG_IMAGE"


def cluster_endpoint(state: State, target: str) -> Endpoint | None:
    """Return the cluster that a session goes to; None where it goes to an engine.

    A target with its kind, such as `pod/web`, means the current context of the kubeconfig if no engine is named.
    """
    if any(host.startswith(CLUSTER_PREFIX) for host in state.hosts):
        return state.endpoint()
    if is_cluster_subject(target) and not state.hosts and not state.contexts:
        return Endpoint(url=CLUSTER_PREFIX, origin="kubeconfig", read_only=state.read_only)
    return None


def run_cluster_session(endpoint: Endpoint, options: PodDebugOptions) -> int:
    """Run a session on this process's terminal or streams and return its exit code."""
    try:
        return asyncio.run(_run(endpoint, options))
    except Exception as error:  # noqa: BLE001 - a failure of pyd must not look like the command's
        failures.report(error)
        return failures.exit_code(error, before_command=True)


async def _run(endpoint: Endpoint, options: PodDebugOptions) -> int:
    from pyd_core.debug.pod.session import open_session
    from pyd_core.kube.channels import open_exec
    from pyd_core.kube.cluster_client import ClusterClient
    from pyd_tui.cli.containers.attach_relay import AttachRelay

    interactive = options.line is None and not options.command
    terminal = os.isatty(0) and os.isatty(1) and interactive
    async with (
        ClusterClient(endpoint, may_ask=sys.stderr.isatty()) as engine,
        open_session(engine, options, _notify) as session,
    ):
        if terminal or options.explain:
            _notify(session.notice)
        takes_input = terminal or not os.isatty(0)
        streams = await open_exec(engine.cluster, session.member, session.command, stdin=takes_input, tty=terminal)
        relay = AttachRelay(
            tty=terminal,
            interactive=takes_input,
            resize=lambda rows, columns: streams.resize(rows=rows, columns=columns),
        )
        try:
            await relay.run(streams)
        finally:
            await streams.aclose()
        return streams.exit_code if streams.exit_code is not None else failures.FAILED


def _notify(text: str) -> None:
    from pyd_core.sanitise import safe

    sys.stderr.write(f"pyd: {safe(text)}\n")

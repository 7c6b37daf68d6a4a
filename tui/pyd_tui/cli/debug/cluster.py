"""`pyd debug` in a cluster."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from pyd_core.client.endpoint import CLUSTER_PREFIX, Endpoint
from pyd_core.debug.pod.options import PodDebugOptions
from pyd_core.errors import PydError, Unsupported
from pyd_core.kube.subject import is_cluster_subject
from pyd_tui.cli import prefork
from pyd_tui.console import failures

if TYPE_CHECKING:
    from pyd_core.debug.options import DebugOptions
    from pyd_core.debug.pod.joined import PodEntry
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


class ClusterRun(NamedTuple):
    """Work of a session in a cluster.

    Attributes:
        options: How the session gets in.
        debug: The options that a session has anywhere.
        builtin: A line that calls a builtin, in place of a session.
        record: The file to record the terminal to.
    """

    options: PodDebugOptions
    debug: DebugOptions
    builtin: str | None = None
    record: str | None = None


def run_cluster_session(endpoint: Endpoint, work: ClusterRun) -> int:
    """Run a session on this process's terminal or streams and return its exit code."""
    try:
        done = asyncio.run(_run(endpoint, work))
        return done if isinstance(done, int) else _run_joined(endpoint, work, done)
    except Exception as error:  # noqa: BLE001 - a failure of pyd must not look like the command's
        failures.report(error)
        reference = error.reference if isinstance(error, PydError) else ""
        return _COMMAND_CODES.get(reference) or failures.exit_code(error, before_command=True)


_COMMAND_CODES = {"command-not-found": 127, "command-not-executable": 126}


async def _run(endpoint: Endpoint, work: ClusterRun) -> int | PodEntry:
    """Run a session in the debug container; return it instead where its agent is to join the target."""
    from pyd_core.debug.pod.joined import PodEntry
    from pyd_core.debug.pod.session import open_session
    from pyd_core.kube.channels import open_exec
    from pyd_core.kube.cluster_client import ClusterClient
    from pyd_tui.cli.containers.attach_relay import AttachRelay

    options = work.options
    interactive = options.line is None and not options.command
    terminal = os.isatty(0) and os.isatty(1) and interactive
    async with (
        ClusterClient(endpoint, may_ask=sys.stderr.isatty()) as engine,
        open_session(engine, options, _notify) as session,
    ):
        if session.joins is not None:
            if options.explain:
                _notify(session.notice)
            return PodEntry(session.member, session.joins, options.image)
        if work.builtin is not None:
            raise Unsupported(
                "builtins need a debug container that joins the target",
                hint="leave --copy out, and name an image of pyd toolbox push with --image",
                reference="no-join",
            )
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


def _run_joined(endpoint: Endpoint, work: ClusterRun, entry: PodEntry) -> int:
    """Run a session, or a builtin, whose root is the target's."""
    from pyd_core.debug.pod.joined import open_joined_access, run_joined
    from pyd_core.debug.sessions.request import SessionRequest
    from pyd_tui.cli import shell_entry
    from pyd_tui.console.prompts import TerminalIO

    io = TerminalIO()
    request = SessionRequest(endpoint, work.debug)
    try:
        if work.builtin is not None:
            with open_joined_access(endpoint, entry, work.debug) as access:
                return shell_entry.run_line(request, work.builtin, access)
        supervisor = prefork.take_supervisor()
        try:
            interactive = work.debug.line is None and not work.debug.command
            if work.debug.shell == "pyd" and interactive and os.isatty(0) and os.isatty(1):
                return shell_entry.run_shell(
                    request,
                    supervisor,
                    io,
                    record=work.record,
                    enter=lambda request, supervisor, io: run_joined(request, entry, supervisor, io),
                )
            return run_joined(request, entry, supervisor, io)
        finally:
            supervisor.close()
    finally:
        io.stop()


def _notify(text: str) -> None:
    from pyd_core.sanitise import safe

    sys.stderr.write(f"pyd: {safe(text)}\n")

"""One debug session, from the container's name to the command's exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from pyd_core.client.api_client import ApiClient as EngineSession
from pyd_core.client.containers import ContainersApi
from pyd_core.client.endpoint import Endpoint
from pyd_core.client.transport.blocking import BlockingTransport, run_now
from pyd_core.debug.failures import describe_not_applied, failure, no_folder
from pyd_core.debug.options import DebugOptions
from pyd_core.debug.plan import make_plan
from pyd_core.debug.reference import find_subject
from pyd_core.debug.supervisor import Supervisor
from pyd_core.debug.target import RemoteTarget, Target, running_target
from pyd_core.debug.toolbox import PREFIX, store
from pyd_core.debug.toolbox.selection import chosen
from pyd_core.errors import InvalidInput, PydError, Refused, Unsupported
from pyd_core.model.container import Container
from pyd_core.sanitise import safe

if TYPE_CHECKING:
    from pyd_core.debug.streams import SessionStreams
    from pyd_core.debug.toolbox.apt import Progress

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_MESSAGE = 65536


def run(
    endpoint: Endpoint,
    options: DebugOptions,
    supervisor: Supervisor,
    *,
    notify: Callable[[str], None],
    progress: Progress,
    ask: Callable[[str], str] | None = None,
    interact: Interact | None = None,
) -> int:
    """Runs a session on this process's descriptors 0 to 2 and returns the command's exit code, 128 + n for signal n.

    Args:
        endpoint: The engine that has the container; must be on this machine.
        options: What to do.
        supervisor: Waits for its plan; the caller closes it.
        notify: Told lines for the user: how the session begins on a terminal, that the target ended and how.
        ask: Shows a question and returns the answer, on a terminal: what to do with a session's changes.
        progress: Told how the making of the toolbox goes, or the copying of files, if one has to be.
        interact: Carries the session out in place of this, and says how the target ended.

    Raises:
        PydError: The session couldn't be; nothing is left of it.
    """
    if options.target.startswith("net:"):
        return _on_a_network(endpoint, options, supervisor, notify=notify, progress=progress, ask=ask)
    if (why := reason_not_local(endpoint, options)) or options.tier is not None:
        why = why or "--tier asks for one"
        return _from_elsewhere(
            endpoint, options, supervisor, why, notify=notify, progress=progress, ask=ask, interact=interact
        )
    # Containers alone, not a whole engine: the models of all the other nouns take longer to load than the join takes.
    engine = EngineSession(BlockingTransport(endpoint), where=endpoint.url, read_only=endpoint.read_only)
    engine.require_writable()  # a shell in there can change anything, and asks no engine
    containers = ContainersApi(engine)
    subject = run_now(find_subject(engine, options.target))
    toolbox = find_toolbox(progress)
    terminal = os.isatty(0) and os.isatty(1)
    if isinstance(subject, Container) and (options.hold or subject.state.pid == 0):
        from pyd_core.debug.stopped import session as offline  # noqa: PLC0415 - running containers don't pay for it

        asked = ask if terminal else None
        return offline.run(
            engine,
            subject,
            options,
            supervisor,
            toolbox,
            notify=notify,
            progress=progress,
            ask=asked,
            interact=interact,
        )
    if options.keeps_changes:
        raise InvalidInput(
            f"{safe(options.target)} runs: a session changes it in place", hint="leave out --diff, --apply and --save"
        )
    try:
        target = running_target(subject) if isinstance(subject, Container) else subject
    except Unsupported as error:
        if error.reference != "not-local":
            raise
        return _from_elsewhere(
            endpoint, options, supervisor, error.message, notify=notify, progress=progress, ask=ask, interact=interact
        )
    if terminal:
        notify(f"in {target.name}: / is the container's own, tools come from {PREFIX}; nothing stays behind")
    code, ended = run_in_target(target, options, supervisor, toolbox, notify=notify, interact=interact)
    if ended and interact is None:
        notify(run_now(describe_exit(containers, target)))
    return code


def _on_a_network(
    endpoint: Endpoint,
    options: DebugOptions,
    supervisor: Supervisor,
    *,
    notify: Callable[[str], None],
    progress: Progress,
    ask: Callable[[str], str] | None,
) -> int:
    from pyd_core.client.transport.choice import blocking_transport  # noqa: PLC0415
    from pyd_core.debug.network_member import PREFIX as NETWORK  # noqa: PLC0415 - few sessions need it
    from pyd_core.debug.network_member import member  # noqa: PLC0415

    transport = blocking_transport(endpoint, may_ask=os.isatty(2))
    engine = EngineSession(transport, where=endpoint.url, read_only=endpoint.read_only)
    try:
        engine.require_writable()
        with member(engine, options.target.removeprefix(NETWORK)) as container:
            there = msgspec.structs.replace(options, target=container.id)
            return run(endpoint, there, supervisor, notify=notify, progress=progress, ask=ask)
    finally:
        run_now(transport.aclose())


def _from_elsewhere(
    endpoint: Endpoint,
    options: DebugOptions,
    supervisor: Supervisor,
    why: str,
    *,
    notify: Callable[[str], None],
    progress: Progress,
    ask: Callable[[str], str] | None,
    interact: Interact | None,
) -> int:
    from pyd_core.debug.helper import session as helper  # noqa: PLC0415 - sessions from here don't pay for it

    asked = ask if os.isatty(0) and os.isatty(1) else None
    return helper.run(
        endpoint, options, supervisor, why=why, notify=notify, progress=progress, ask=asked, interact=interact
    )


def reason_not_local(endpoint: Endpoint, options: DebugOptions) -> str:
    """Returns why this process can't enter containers of an engine by itself; empty where it can."""
    local = endpoint.socket_path is not None
    if local and os.geteuid() == 0:
        return ""
    if options.target.startswith("pid:"):
        raise Refused(
            "entering a process of this machine takes root, and no engine is asked",
            hint="run it with sudo, without --host",
            reference="not-root",
        )
    return "pyd isn't root here" if local else f"{endpoint.url} is another machine"


def run_in_target(
    target: Target,
    options: DebugOptions,
    supervisor: Supervisor,
    toolbox: str,
    *,
    notify: Callable[[str], None],
    interact: Interact | None = None,
) -> tuple[int, bool]:
    """Runs the session in a target that is there; returns the exit code, and whether the target ended."""
    conversing = interact is not None
    terminal = conversing or (os.isatty(0) and os.isatty(1))
    plan = make_plan(target, options, toolbox, terminal=terminal, conversing=conversing)
    if options.explain:
        from pyd_core.debug.explain import explain  # noqa: PLC0415 - only who asks pays for it

        for line in explain(target, plan):
            notify(line)
    session = DebugSession(target, supervisor, plan)
    session.noted = notify
    code = session.run() if interact is None else interact(session)
    if plan["confined"] and code == 128 + signal.SIGSYS:
        notify(f"a seccomp filter ended the command: {target.name} may not make its system calls; --as root may")
    return code, session.target_ended


def find_toolbox(progress: Progress, machine: str = "") -> str:
    """Returns the folder of the toolbox that is chosen, made first if it isn't there.

    Args:
        progress: Told how the making goes.
        machine: What it is to be for, as `uname -m` names it; this one unless given.
    """
    pack = chosen().pack()
    there = store.find_anywhere(pack, machine)
    if there is not None:
        return there
    from pathlib import Path  # noqa: PLC0415 - only the making of a toolbox needs it

    def making(stage: str, done: int, total: int) -> None:
        progress(f"making the toolbox: {stage}", done, total)

    return str(store.build(pack, Path(store.store_root()), making, machine=machine))


async def describe_exit(containers: ContainersApi, target: Target | RemoteTarget) -> str:
    """Says how the target ended, as far as the engine tells."""
    if not target.container.id:  # a process by its number
        return f"{target.name} has ended; the session ended with it"
    try:
        state = (await containers.inspect(target.container.id)).state
        if state.pid and state.pid != target.container.state.pid:
            return f"{target.name} has ended and was started again; the session ended with it"
        # To wait for an end that the engine knows of would be, with a container in a crash loop, to wait for the next.
        code = (await containers.wait(target.container.id)).status_code if state.pid else state.exit_code
    except PydError:
        return f"{target.name} has ended and is gone"
    by = f", killed by {signal.Signals(code - 128).name}" if 128 < code < 128 + 32 else ""
    return f"{target.name} has ended with exit code {code}{by}; the session ended with it"


class DebugSession:
    """The client's side of the processes in `join`.

    Args:
        target: The container.
        supervisor: Waits for the plan.
        plan: What is to be done.
    """

    def __init__(self, target: Target | RemoteTarget, supervisor: Supervisor, plan: dict[str, Any]) -> None:
        self.target = target
        self.plan = plan
        self.supervisor = supervisor
        self.target_ended = False
        self.opened: Callable[[list[int]], None] = _close_all
        """Called with the pty's master, and the client's ends of the channel if the plan has one."""
        self.noted: Callable[[str], None] = lambda _: None
        """Called with lines for the user."""
        self._streams: SessionStreams | None = None
        self._error: PydError | None = None
        self._code: int | None = None

    @property
    def status(self) -> int:
        """The descriptor that becomes readable when there is something to `read_message`."""
        return self.supervisor.status.fileno()

    def start(self) -> None:
        """Gives the supervisor its plan.

        Raises:
            InvalidInput: It is too long.
        """
        plan, streams = self.plan, list[int]()
        if self.supervisor.connection >= 0:
            plan = plan | {"bridged": True, "modules": [path for path in sys.path if path]}
            streams = [0, 1, 2] if plan["terminal"] is None else []  # it only copies bytes, and stays out of the target
        elif plan["terminal"] is None:
            from pyd_core.debug.streams import SessionStreams  # noqa: PLC0415 - a terminal has no use for it

            self._streams = SessionStreams()
            streams = self._streams.theirs
        try:
            self.supervisor.send(msgspec.json.encode(plan), streams)
        except OSError as error:
            raise InvalidInput(f"the command and its environment are too long: {error.strerror}") from error
        finally:
            if self._streams is not None:
                self._streams.release()

    def run(self) -> int:
        """Carries the plan out, minds the terminal and the signals, and returns the exit code once all is done."""
        supervisor = self.supervisor.pid
        for number in _FORWARDED:
            signal.signal(number, lambda number, _frame: _pass_on(supervisor, number))
        try:
            self.start()
            self._mind()
        finally:
            for number in _FORWARDED:
                signal.signal(number, signal.SIG_DFL)
        return self.result()

    def _mind(self) -> None:
        if self._streams is not None:
            self._streams.run(self.status, self.read_message)
            return
        if self.plan["terminal"] is None:
            while not self.read_message():
                pass
            return
        from pyd_core.debug.terminal import TerminalRelay  # noqa: PLC0415 - only a terminal needs it

        relay = TerminalRelay({self.status: self.read_message})
        self.opened = lambda descriptors: relay.start(descriptors[0])
        try:
            relay.run()
        finally:
            relay.close()

    def read_message(self) -> bool:
        """Takes one message; True when there will be no more, because all the session's processes have ended."""
        message, descriptors, _, _ = socket.recv_fds(self.supervisor.status, _MESSAGE, 3)
        if not message:
            return True
        kind, *fields = message.decode(errors="replace").split("\0")
        match kind:
            case "terminal" if descriptors:
                self.opened(descriptors)
            case "exit":
                self._code = _exit_code(int(fields[0]))
            case "ended":
                self.target_ended = True
            case "untaken":
                self.noted(describe_not_applied(fields[0], int(fields[1])))
            case "folder" if fields:
                self.noted(no_folder(self.plan["cwd"], int(fields[0]), target=self.target.name))
            case "error" if self._error is None:
                call, number, subject = fields
                self._error = failure(call, int(number), subject, target=self.target.name)
            case _:
                pass
        return False

    def result(self) -> int:
        """Returns the exit code, once all is done.

        Raises:
            PydError: The command never ran.
        """
        if self._error is not None:
            raise self._error
        if self._code is None:
            self._code = 128 + signal.SIGKILL
        return self._code


Interact = Callable[[DebugSession], int]
"""Carries a session out in its own way, and returns its exit code."""


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _pass_on(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

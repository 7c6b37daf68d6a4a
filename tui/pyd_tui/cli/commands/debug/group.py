"""`pyd debug`: a shell with tools inside any container."""

from __future__ import annotations

from typing import Any, NoReturn

import click

from pyd_tui.cli import prefork
from pyd_tui.cli.debug_fastpath import WORDS
from pyd_tui.cli.debug_run import enter
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.cli.object_names import ContainerName
from pyd_tui.console.command import Verb
from pyd_tui.console.output import write
from pyd_tui.console.prompts import ProgressReporter, notify


class Debug(Verb):
    """The verb, and the few below it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Hands over to the verb that the first word names."""
        if args and args[0] in WORDS:
            from importlib import import_module  # noqa: PLC0415 - few calls need it

            prefork.drop()
            module, _, name = WORDS[args[0]].partition(":")
            below: click.Command = getattr(import_module(module), name)
            return below.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(
    "debug",
    cls=Debug,
    json=False,
    examples=(
        ("pyd debug web", "a shell in web, whatever its image lacks"),
        ("pyd debug web -c 'ps -e; ls /'", "one line for the shell"),
        ("pyd debug web -b 'sockets --json'", "a builtin of the shell; 'builtins' in the shell lists them"),
        ("pyd debug web -- curl -s localhost:8080", "one program, its arguments passed on as they are"),
        ("pyd debug image:nginx:1.27", "an image, without a container of it"),
        ("pyd debug api@2", "the second container of a Compose service"),
        ("pyd debug net:backend", "a network, as a member of it sees it"),
        ("pyd debug pid:4711", "where a process of this machine lives"),
        ("pyd debug --as target web", "with the rights of web's main process"),
        ("pyd debug --as tracer web", "with the rights that bpftrace, bpftool and perf -a take"),
        ("pyd debug --cap-add SYS_PTRACE agent", "trace what agent sees of the host (--pid host)"),
        ("pyd debug --volumes rw web", "when web doesn't run: change what is in its volumes"),
        ("pyd debug web --apply /etc/app.conf", "when web doesn't run: put that file back, edited"),
        ("pyd debug --hold web", "when web crashes at once: a clone of it that waits"),
        ("pyd debug --detach --ttl 2h web", "a session to come back to; pyd debug ls, attach, end"),
        ("pyd debug --shell bash web", "bash as it is, without pyd's line editor"),
        ("pyd debug --rw web -c 'vi /etc/app.conf'", "write where web may not"),
    ),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.argument("arguments", metavar="[-- PROGRAM [ARGUMENT]...]", nargs=-1, type=click.UNPROCESSED)
@click.option("-c", "--command", "line", metavar="LINE", help="Run a line in the shell instead of an interactive one.")
@click.option("-b", "--builtin", metavar="LINE", help="Run a builtin of the debug shell, such as 'sockets'.")
@click.option(
    "--as",
    "identity",
    metavar="WHO",
    default="root",
    show_default=True,
    help="Who to be: root, tracer (a root that may trace the kernel too), target (its main process's user and rights), "
    "or UID[:GID].",
)
@click.option(
    "--cap-add",
    "capabilities",
    metavar="NAME",
    multiple=True,
    help="Give root this capability too, such as SYS_PTRACE where the container has the host's processes.",
)
@click.option(
    "--rw", "writable", is_flag=True, help="Write into a read-only root file system; the container still can't."
)
@click.option(
    "--volumes",
    type=click.Choice(["ro", "rw"]),
    default="ro",
    show_default=True,
    help="Whether the volumes of a container that doesn't run may be written.",
)
@click.option(
    "--network",
    type=click.Choice(["none", "same"]),
    default="none",
    show_default=True,
    help="The network of a container that doesn't run: none, or those it would have.",
)
@click.option("--hold", is_flag=True, help="Enter a clone that does nothing, to run the container's program by hand.")
@click.option("--diff", is_flag=True, help="List at the end what was changed in a container that doesn't run.")
@click.option(
    "--apply",
    "apply",
    metavar="PATH",
    multiple=True,
    help="Put changes at or below PATH back into it at the end; / is all.",
)
@click.option("--save", metavar="IMAGE", default="", help="Make an image of it, changes included, at the end.")
@click.option(
    "--shell",
    metavar="NAME",
    default="pyd",
    show_default=True,
    help="On a terminal: pyd's own, or bash, zsh, fish, sh or any other as it is, the container's or the toolbox's.",
)
@click.option("--detach", is_flag=True, help="Begin a session that is left to itself, and print its id.")
@click.option("--ttl", metavar="TIME", help="With --detach: end it when nobody was attached for so long, such as 30m.")
@click.option("--record", metavar="FILE", help="Record what the terminal shows, as an asciicast.")
@click.option("--tier", type=click.IntRange(0, 4), help="Enter by a helper container with these rights, 0 to 4.")
@click.option("--explain", is_flag=True, help="Say how the session gets in, what it may do and what it may not.")
@pass_state
def command(
    state: State,
    name: str,
    arguments: tuple[str, ...],
    line: str | None,
    identity: str,
    *,
    capabilities: tuple[str, ...],
    builtin: str | None,
    writable: bool,
    volumes: str,
    network: str,
    hold: bool,
    diff: bool,
    apply: tuple[str, ...],
    save: str,
    shell: str,
    detach: bool,
    ttl: str | None,
    record: str | None,
    tier: int | None,
    explain: bool,
) -> int:
    """Open a shell with tools inside any container.

    The container's own files are at /, its processes, network and users are what the shell sees. The tools are seen by
    the shell alone, and its memory counts as its own. Nothing is left behind in the container.

    CONTAINER may also be a Compose service (SERVICE or SERVICE@NUMBER), an image (image:REF, or REF where no container
    has that name), or a process of this machine (pid:NUMBER). A container that doesn't run is entered as it would
    start, without a network unless --network same. What is changed there is thrown away, unless --apply or --save keeps
    it.
    """
    if builtin is not None or detach:
        prefork.drop()
        if line is not None or arguments or (detach and (builtin is not None or shell != "pyd" or record)):
            raise click.UsageError("--builtin and --detach go with no other way to say what to run")
        given: dict[str, Any] = {"identity": identity, "writable": writable, "volumes": volumes, "network": network}
        given |= {"target": name, "hold": hold, "diff": diff, "apply": apply, "save": save}
        given |= {"explain": explain, "tier": tier, "capabilities": capabilities}
        if builtin is not None:
            _run_builtin(state, builtin, **given)
        _detach(state, ttl, **given)
    if ttl is not None:
        raise click.UsageError("--ttl goes with --detach")
    return enter(
        state,
        {
            "target": name,
            "line": line,
            "command": arguments,
            "identity": identity,
            "capabilities": capabilities,
            "writable": writable,
            "volumes": volumes,
            "network": network,
            "hold": hold,
            "diff": diff,
            "apply": apply,
            "save": save,
            "shell": shell,
            "tier": tier,
            "explain": explain,
        },
        record=record,
    )


def _detach(state: State, ttl: str | None, **options: Any) -> NoReturn:
    from pyd_core.debug.options import DebugOptions  # noqa: PLC0415 - sessions don't pay for these
    from pyd_tui.console.timespec import parse_span  # noqa: PLC0415
    from pyd_tui.shell.detached_sessions import detach  # noqa: PLC0415

    seconds = parse_span(ttl) / 1e9 if ttl is not None else 0.0
    progress = ProgressReporter()
    session, code = detach(state.endpoint(), DebugOptions(**options), ttl=seconds, notify=notify, progress=progress)
    if session:
        write(f"{session}\n")
    raise SystemExit(code)


def _run_builtin(state: State, line: str, **options: Any) -> NoReturn:
    from pyd_core.debug.options import DebugOptions  # noqa: PLC0415 - sessions don't pay for these
    from pyd_tui.shell.run_builtin import run_once  # noqa: PLC0415

    progress = ProgressReporter()
    try:
        code = run_once(state.endpoint(), DebugOptions(**options), line, notify=notify, progress=progress)
    finally:
        progress.stop()
    raise SystemExit(code)

"""`pyd debug`: a shell with tools in any container."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from pyd_tui.cli import prefork
from pyd_tui.cli.debug.fastpath import BUILD_PREFIX, SUBCOMMANDS
from pyd_tui.cli.debug.run import run_session
from pyd_tui.cli.objects.names import ContainerName
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write

if TYPE_CHECKING:
    from pyd_core.client.endpoint import Endpoint
    from pyd_core.client.engine_client import EngineClient
    from pyd_core.debug.options import DebugOptions


class DebugCommand(PydCommand):
    """`pyd debug CONTAINER`, and its few subcommands."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Hand over to the subcommand that the first word names."""
        if args and args[0] in SUBCOMMANDS:
            prefork.drop()
            subcommand: click.Command = import_module(f"pyd_tui.cli.commands.debug.{args[0]}").command
            return subcommand.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(
    "debug",
    cls=DebugCommand,
    json=False,
    examples=(
        ("pyd debug web", "open a shell in web, whatever its image lacks"),
        ("pyd debug web -c 'ps -e; ls /'", "run one line in the shell"),
        ("pyd debug web -b 'sockets --json'", "run a builtin of the shell; 'builtins' in the shell lists them"),
        ("pyd debug web -- curl -s localhost:8080", "run one program, its arguments passed on unchanged"),
        ("pyd debug image:nginx:1.27", "debug an image, without a container"),
        ("pyd debug api@2", "debug the second container of a Compose service"),
        ("pyd debug net:backend", "debug a network, as its members see it"),
        ("pyd debug pid:4711", "debug the namespaces of a process of this machine"),
        ("pyd debug --as target web", "with the privileges of web's main process"),
        ("pyd debug --as tracer web", "with the privileges that bpftrace, bpftool and perf -a need"),
        ("pyd debug --cap-add SYS_PTRACE agent", "trace the host's processes that agent sees (--pid host)"),
        ("pyd debug --volumes rw web", "for a stopped container: write to its volumes"),
        ("pyd debug web --apply /etc/app.conf", "for a stopped container: edit a file and keep the change"),
        ("pyd debug --hold web", "for a container that crashes at once: debug an idle clone of it"),
        ("pyd debug --detach --ttl 2h web", "start a detached session; see pyd debug ls, attach, end"),
        ("pyd debug --shell bash web", "use plain bash, without pyd's line editor"),
        ("pyd debug build:", "enter the step in which the last build failed; build:REFERENCE for an earlier one"),
        ("pyd debug pod/web-7f9c/app", "debug a container of a Kubernetes pod; deploy/NAME and node/NAME too"),
        ("pyd debug pod/web-7f9c --copy", "for a pod that crashes: debug a copy whose container is held"),
        ("pyd debug --rw web -c 'vi /etc/app.conf'", "write to a read-only root file system"),
    ),
)
@click.argument("name", type=ContainerName(), metavar="CONTAINER")
@click.argument("arguments", metavar="[-- PROGRAM [ARGUMENT]...]", nargs=-1, type=click.UNPROCESSED)
@click.option("-c", "--command", "line", metavar="LINE", help="Run a line in the shell instead of opening it.")
@click.option("-b", "--builtin", metavar="LINE", help="Run a builtin of the debug shell, such as 'sockets'.")
@click.option(
    "--as",
    "identity",
    metavar="WHO",
    default="root",
    show_default=True,
    help="Identity: root, tracer (root that may also trace the kernel), target (as the container's main process), or "
    "UID[:GID].",
)
@click.option(
    "--cap-add",
    "capabilities",
    metavar="NAME",
    multiple=True,
    help="Add a capability to root, such as SYS_PTRACE where the container sees the host's processes.",
)
@click.option(
    "--rw", "writable", is_flag=True, help="Allow writes to a read-only root file system; the container still can't."
)
@click.option(
    "--volumes",
    type=click.Choice(["ro", "rw"]),
    default="ro",
    show_default=True,
    help="Access to the volumes of a stopped container.",
)
@click.option(
    "--network",
    type=click.Choice(["none", "same"]),
    default="none",
    show_default=True,
    help="Network of a stopped container: none, or the same as when it runs.",
)
@click.option("--hold", is_flag=True, help="Debug an idle clone, to run the container's program by hand.")
@click.option("--diff", is_flag=True, help="List the changes to a stopped container at the end.")
@click.option(
    "--apply",
    "apply",
    metavar="PATH",
    multiple=True,
    help="Apply changes at or below PATH to the stopped container at the end; / applies all.",
)
@click.option("--save", metavar="IMAGE", default="", help="Commit it with its changes as an image at the end.")
@click.option(
    "--shell",
    metavar="NAME",
    default="pyd",
    show_default=True,
    help="Shell on a terminal: pyd's own, or bash, zsh, fish, sh or another, from the container or the toolbox.",
)
@click.option(
    "--path",
    type=click.Choice(["tools", "container"]),
    default="tools",
    show_default=True,
    envvar="PYD_DEBUG_PATH",
    help="Whose programs come first on PATH: the base tools, or the container's.",
)
@click.option("--detach", is_flag=True, help="Start a session in the background and print its id.")
@click.option(
    "--ttl",
    metavar="TIME",
    help="With --detach, and in a cluster: end it after this time without a client, such as 30m.",
)
@click.option(
    "--image", metavar="IMAGE", default="", envvar="PYD_DEBUG_IMAGE", help="In a cluster: image of the debug container."
)
@click.option(
    "--profile",
    type=click.Choice(["restricted", "baseline", "general", "join", "sysadmin"]),
    help="In a cluster: privileges of the debug container; by default the first that are admitted and reach the "
    "target's files.",
)
@click.option("--copy", is_flag=True, help="In a cluster: debug a copy of the pod, with the container held.")
@click.option("--record", metavar="FILE", help="Record the terminal session as an asciicast.")
@click.option("--tier", type=click.IntRange(0, 4), help="Use a helper container with these privileges, 0 to 4.")
@click.option("--explain", is_flag=True, help="Explain how the session enters the container, and its privileges.")
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
    path: str,
    detach: bool,
    ttl: str | None,
    image: str,
    profile: str | None,
    copy: bool,
    record: str | None,
    tier: int | None,
    explain: bool,
) -> int:
    """Open a shell with tools in any container.

    The shell sees the container's own files, processes, network and users. Only the shell sees the tools, and its
    memory is accounted separately. Nothing is left behind in the container.

    CONTAINER may also be a Compose service (SERVICE or SERVICE@NUMBER), an image (image:REF, or REF if no container
    has that name), a network (net:NAME), a process of this machine (pid:NUMBER), a failed build (build:REFERENCE), or
    in a cluster pod/NAME, deploy/NAME or node/NAME. A stopped container is entered as it would start, but
    without a network unless --network same is given. Changes to it are discarded, unless --apply or --save keeps them.
    """
    if name.startswith(BUILD_PREFIX):
        prefork.drop()
        return _enter_build(state, name.removeprefix(BUILD_PREFIX), line, arguments)
    cluster = _cluster(state, name)
    if cluster is not None:
        from pyd_core.debug.options import DebugOptions
        from pyd_core.debug.pod.options import IDLE_TTL_S, PodDebugOptions
        from pyd_core.debug.toolbox.pushed import is_toolbox_image, last_pushed
        from pyd_tui.cli.debug.cluster import ClusterRun, run_cluster_session

        refused = {"--detach": detach, "--hold": hold, "--tier": tier}
        for option, value in refused.items():
            if value:
                raise click.UsageError(f"{option} isn't possible in a cluster")
        image = image or last_pushed()
        way_in = PodDebugOptions(
            target=name,
            image=image,
            line=line,
            command=arguments,
            profile=profile or ("join" if builtin is not None and not copy else ""),
            copy=copy,
            ttl_s=int(_seconds(ttl)) or IDLE_TTL_S,
            joins=is_toolbox_image(image),
            explain=explain,
        )
        inside = DebugOptions(
            target=name,
            line=line,
            command=arguments,
            identity=identity,
            capabilities=capabilities,
            writable=writable,
            shell=shell,
            path=path,
            explain=explain,
        )
        return run_cluster_session(cluster, ClusterRun(way_in, inside, builtin, record))
    if profile or copy:
        raise click.UsageError("--profile and --copy are for clusters")

    def make_options() -> DebugOptions:
        from pyd_core.debug.options import DebugOptions

        return DebugOptions(
            target=name,
            line=line,
            command=arguments,
            identity=identity,
            capabilities=capabilities,
            writable=writable,
            volumes=volumes,
            network=network,
            hold=hold,
            diff=diff,
            apply=apply,
            save=save,
            shell=shell,
            path=path,
            tier=tier,
            explain=explain,
        )

    if builtin is not None or detach:
        prefork.drop()
        if line is not None or arguments or (detach and (builtin is not None or shell != "pyd" or record)):
            raise click.UsageError("--builtin and --detach can't be combined with another command to run")
        from pyd_tui.cli import shell_entry  # only these need the shell

        if builtin is not None:
            return shell_entry.run_builtin(state.endpoint(), make_options(), builtin)
        session, code = shell_entry.detach(state.endpoint(), make_options(), ttl=_seconds(ttl))
        if session:
            write(f"{session}\n")
        return code
    if ttl is not None:
        raise click.UsageError("--ttl needs --detach")
    return run_session(state, make_options, record=record)


def _enter_build(state: State, name: str, line: str | None, arguments: tuple[str, ...]) -> int:
    import shlex
    import sys

    from pyd_core.errors import InvalidInput
    from pyd_tui.cli.builds.debug_options import BuildDebugOptions

    text = line if line is not None else shlex.join(arguments) if arguments else None
    if text is None and not sys.stdin.isatty():
        raise InvalidInput("a shell in a build's step needs a terminal", hint="or give it a command with -c")

    async def enter(engine: EngineClient) -> int:
        from pyd_tui.cli.builds.reenter import reenter

        return await reenter(engine, name, BuildDebugOptions(command=text))

    return state.run(enter)


def _cluster(state: State, name: str) -> Endpoint | None:
    """Return the cluster that a session goes to; None, without loading anything, for an engine."""
    if "/" not in name and not any(host.startswith("kube://") for host in state.hosts):
        return None
    from pyd_tui.cli.debug.cluster import cluster_endpoint

    return cluster_endpoint(state, name)


def _seconds(ttl: str | None) -> float:
    from pyd_tui.console.timespec import parse_span

    return parse_span(ttl) / 1e9 if ttl is not None else 0.0

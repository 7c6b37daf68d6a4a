"""`pyd info`."""

from __future__ import annotations

import click

from pyd_core.humanize import size
from pyd_core.model.system import Info
from pyd_core.sanitise import safe
from pyd_tui.console.command import PydCommand
from pyd_tui.console.global_options import State, pass_state
from pyd_tui.console.output import write, write_json


@click.command(
    "info", cls=PydCommand, examples=(("pyd info", "show a summary"), ("pyd info --json", "show the engine's own JSON"))
)
@pass_state
def command(state: State, /) -> None:
    """Show information about the engine."""
    endpoint = state.endpoint()
    info = state.ask_provider(lambda engine: engine.system.info())
    if state.json:
        write_json(info)
        return
    address = f"{endpoint.url} ({endpoint.origin})" if endpoint.origin else endpoint.url
    rows = [("Engine", address), *info_rows(info)]
    width = max(len(name) for name, _ in rows)
    write("".join(f"{name:<{width}}  {safe(value)}\n" for name, value in rows if value))
    for warning in info.warnings or []:
        write(f"{'Warning':<{width}}  {safe(warning.removeprefix('WARNING: '))}\n")


def info_rows(info: Info) -> list[tuple[str, str]]:
    """Return names and values in order; rows with an empty value aren't shown."""
    swarm = "" if info.swarm.local_node_state in {"", "inactive"} else info.swarm.local_node_state
    states = f"{info.containers_running} running, {info.containers_paused} paused, {info.containers_stopped} stopped"
    return [
        ("Version", info.server_version),
        ("Host", info.name),
        ("Containers", f"{info.containers} ({states})"),
        ("Images", str(info.images)),
        ("System", f"{info.operating_system}, {info.architecture}"),
        ("Kernel", info.kernel_version),
        ("Processors", str(info.ncpu)),
        ("Memory", size(info.mem_total)),
        ("Storage", f"{info.driver}, in {info.docker_root_dir}"),
        ("Logging", info.logging_driver),
        ("Cgroups", f"v{info.cgroup_version}, {info.cgroup_driver}" if info.cgroup_version else ""),
        ("Runtime", info.default_runtime),
        ("Security", ", ".join(option.removeprefix("name=") for option in info.security_options)),
        ("Swarm", swarm),
    ]

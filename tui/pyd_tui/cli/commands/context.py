"""`pyd context`: the docker contexts, which pyd shares with the docker CLI."""

from __future__ import annotations

import os

import click

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe
from pyd_tui.cli.global_options import State, pass_state
from pyd_tui.console.columns import Cell, TableColumn, write_table
from pyd_tui.console.command import VerbGroup
from pyd_tui.console.output import write, write_json

COLUMNS = (
    TableColumn(title="", right=True),
    TableColumn(title="NAME"),
    TableColumn(title="ENGINE", cut=20),
    TableColumn(title="DESCRIPTION", cut=12, rank=1),
)


class ContextName(click.ParamType[str]):
    """The name of a docker context."""

    name = "context"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[object]:  # type: ignore[override] # noqa: ARG002
        """Completes from the files on disk."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        from pyd_core.client.contexts import DEFAULT, Contexts  # noqa: PLC0415 - likewise

        known = [(DEFAULT, ""), *((found.name, found.url) for found in Contexts.of_user(os.environ).list())]
        return [CompletionItem(name, help=url) for name, url in known if name.startswith(incomplete)]


@click.group(
    "context",
    cls=VerbGroup,
    examples=(
        ("pyd context ls", "all of them, the current one marked"),
        ("pyd context use server", "what pyd and docker talk to from now on"),
        ("pyd --context server ps", "once"),
    ),
)
def command() -> None:
    """Make, list and remove docker contexts, and choose the current one."""


def _current(state: State) -> str:
    from pyd_core.client.contexts import DEFAULT, Contexts  # noqa: PLC0415 - click loads this module for help too

    if state.contexts:
        return state.contexts[-1]
    if os.environ.get("DOCKER_HOST"):
        return DEFAULT
    return os.environ.get("DOCKER_CONTEXT") or Contexts.of_user(os.environ).current()


@command.command("ls", examples=(("pyd context ls", "all of them, the current one marked"),))
@pass_state
def list_(state: State, /) -> None:
    """List the contexts."""
    from pyd_core.client.contexts import DEFAULT, Contexts  # noqa: PLC0415 - click loads this module for help too

    contexts = Contexts.of_user(os.environ)
    current = _current(state)
    rows = [
        (DEFAULT, os.environ.get("DOCKER_HOST") or "", "DOCKER_HOST, else the usual sockets"),
        *((context.name, context.url, context.description) for context in contexts.list()),
    ]
    if state.json:
        write_json(
            [
                {"name": name, "url": url, "description": description, "current": name == current}
                for name, url, description in rows
            ]
        )
        return
    write_table(
        COLUMNS,
        [
            (
                Cell("*" if name == current else ""),
                Cell(name, "bold" if name == current else ""),
                Cell(url),
                Cell(about),
            )
            for name, url, about in rows
        ],
        hide_empty=False,
    )


@command.command("use", examples=(("pyd context use server", "an engine"), ("pyd context use default", "none")))
@click.argument("name", type=ContextName())
@pass_state
def use(state: State, /, *, name: str) -> None:
    """Make a context the current one."""
    from pyd_core.client.contexts import Contexts  # noqa: PLC0415 - click loads this module for help too

    Contexts.of_user(os.environ).use(name)
    if state.json:
        write_json({"current": name})
    else:
        write(f"{name}\n")
    if os.environ.get("DOCKER_HOST"):
        click.echo("note: DOCKER_HOST is set and goes before any context", err=True)


@command.command("show", examples=(("pyd context show", "its name"),))
@pass_state
def show(state: State, /) -> None:
    """Print the name of the current context."""
    current = _current(state)
    if state.json:
        write_json({"current": current})
    else:
        write(f"{safe(current)}\n")


@command.command(
    "create",
    examples=(
        ("pyd context create server --docker host=ssh://me@server", "over ssh"),
        ("pyd context create far --docker host=tcp://far:2376,ca=ca.pem,cert=cert.pem,key=key.pem", "by TLS"),
    ),
)
@click.argument("name", metavar="NAME")
@click.option("--docker", "docker", required=True, metavar="KEY=VALUE,…", help="host, ca, cert, key, skip-tls-verify.")
@click.option("--description", default="", metavar="TEXT", help="What it is.")
@pass_state
def create(state: State, /, *, name: str, docker: str, description: str) -> None:
    """Make a context."""
    from pathlib import Path  # noqa: PLC0415 - click loads this module for help too

    from pyd_core.client.contexts import Contexts  # noqa: PLC0415 - likewise
    from pyd_core.client.endpoint import TlsFiles  # noqa: PLC0415 - likewise

    given = {key: value for key, _, value in (part.partition("=") for part in docker.split(","))}
    unknown = set(given) - {"host", "ca", "cert", "key", "skip-tls-verify"}
    if unknown or not given.get("host"):
        what = f"unknown key {safe(min(unknown))!r}" if unknown else "no host"
        raise InvalidInput(f"--docker: {what}", hint="--docker host=ssh://me@server")
    ca, cert, key = (Path(given[part]) if part in given else None for part in ("ca", "cert", "key"))
    tls = TlsFiles(ca=ca, cert=cert, key=key, verify=given.get("skip-tls-verify", "false") in {"false", "0"})
    Contexts.of_user(os.environ).create(name, given["host"], description=description, tls=tls)
    if state.json:
        write_json({"name": name, "url": given["host"]})
    else:
        write(f"{safe(name)}\n")


@command.command("rm", examples=(("pyd context rm server", "with its certificates"),))
@click.argument("names", nargs=-1, required=True, type=ContextName(), metavar="NAME...")
@click.option("-f", "--force", is_flag=True, help="The current one too.")
@pass_state
def remove(state: State, /, *, names: tuple[str, ...], force: bool) -> None:
    """Remove contexts."""
    from pyd_core.client.contexts import Contexts  # noqa: PLC0415 - click loads this module for help too

    contexts = Contexts.of_user(os.environ)
    for name in names:
        contexts.remove(name, force=force)
        if not state.json:
            write(f"{safe(name)}\n")
    if state.json:
        write_json({"removed": list(names)})


@command.command("inspect", examples=(("pyd context inspect server", "where it leads, and its certificates"),))
@click.argument("names", nargs=-1, type=ContextName(), metavar="[NAME]...")
@pass_state
def inspect(state: State, /, *, names: tuple[str, ...]) -> None:
    """Tell all about contexts; without a name the current one."""
    from pyd_core.client.contexts import DEFAULT, Contexts  # noqa: PLC0415 - click loads this module for help too

    contexts = Contexts.of_user(os.environ)
    told: list[dict[str, object]] = []
    for name in names or (_current(state),):
        if name == DEFAULT:
            told.append({"name": name, "url": os.environ.get("DOCKER_HOST") or "", "description": "", "tls": None})
            continue
        found = contexts.get(name)
        files = {part: str(getattr(found.tls, part) or "") for part in ("ca", "cert", "key")} if found.tls else None
        tls = None if files is None or found.tls is None else {**files, "verify": found.tls.verify}
        told.append({"name": found.name, "url": found.url, "description": found.description, "tls": tls})
    write_json(told)

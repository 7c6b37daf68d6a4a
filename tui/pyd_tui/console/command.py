"""Base classes of commands and groups, with examples and global options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from pyd_tui.console.global_options import State
from pyd_tui.console.output import coloured
from pyd_tui.console.switches import settle_switches

Examples = Sequence[tuple[str, str]]

CURRENT_CLUSTER = "kube://"
"""The address of the kubeconfig's current context."""
CONTEXT_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def global_options(*, json: bool) -> list[click.Parameter]:
    """Return the options that every command takes, before or after its name."""

    def keep(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
        def callback(ctx: click.Context, _: click.Parameter, value: Any) -> None:
            if value:
                setattr(ctx.ensure_object(State), field, value)

        return callback

    options: list[click.Parameter] = [
        click.Option(
            ["-H", "--host"],
            metavar="URL",
            callback=keep("hosts"),
            expose_value=False,
            multiple=True,
            help="Engine to use: unix:///path.sock, tcp://host:port, ssh://user@host, or a cluster: "
            "kube://context/namespace. The dashboard takes several.",
        ),
        click.Option(
            ["--kube"],
            is_flag=True,
            callback=_use_cluster,
            expose_value=False,
            help="Use the current context of the kubeconfig: -H kube://.",
        ),
        click.Option(
            ["--context"],
            metavar="NAME",
            callback=keep("contexts"),
            expose_value=False,
            multiple=True,
            help="Docker context to use. The dashboard takes several.",
        ),
        click.Option(
            ["--read-only"],
            is_flag=True,
            callback=keep("read_only"),
            expose_value=False,
            help="Refuse all requests that change something on the engine.",
        ),
    ]
    if json:
        options.append(
            click.Option(["--json"], is_flag=True, callback=keep("json"), expose_value=False, help="Write JSON.")
        )
    return options


def _use_cluster(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    state = ctx.ensure_object(State)
    if value and CURRENT_CLUSTER not in state.hosts:
        state.hosts = (*state.hosts, CURRENT_CLUSTER)


class HelpFormatter(click.HelpFormatter):
    """Help with bold headings on a terminal."""

    def write_heading(self, heading: str) -> None:
        """Write the title of a section."""
        super().write_heading(f"\x1b[1m{heading}\x1b[0m" if coloured() else heading)


class HelpContext(click.Context):
    """A context whose help has bold headings."""

    formatter_class = HelpFormatter


class WithExamples(click.Command):
    """A command or group with examples in its help.

    Args:
        examples: Pairs of a command line and what it does.
        arguments: As `click.Command` or `click.Group`.
    """

    context_class = HelpContext

    def __init__(self, *arguments: Any, examples: Examples = (), **options: Any) -> None:
        options.setdefault("context_settings", CONTEXT_SETTINGS)
        super().__init__(*arguments, **options)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the examples."""
        write_examples(self.examples, formatter)


class PydCommand(WithExamples):
    """A command of `pyd`: examples in its help, and the global options after its name too.

    Args:
        json: Whether it has a `--json` option.
        arguments: As `WithExamples`.
    """

    def __init__(self, *arguments: Any, json: bool = True, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.global_options = global_options(json=json)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own options, then the global ones without a namesake, then `--help`."""
        *own, last = super().get_params(ctx)
        taken = {name for parameter in own for name in parameter.opts}
        shared = [option for option in self.global_options if taken.isdisjoint(option.opts)]
        return [*own, *shared, last]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse flags with a value, such as `--rm=false`, too."""
        return super().parse_args(ctx, settle_switches(self.get_params(ctx), args, whole=ctx.allow_interspersed_args))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then the global ones."""
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                (shared if parameter in self.global_options else own).append(record)
        for heading, records in (("Options", own), ("Global options", shared)):
            with formatter.section(heading):
                formatter.write_dl(records)


class PydGroup(WithExamples, click.Group):
    """A group of commands, such as `context`."""

    command_class = PydCommand


def write_examples(examples: Examples, formatter: click.HelpFormatter) -> None:
    """Write a section of examples."""
    if examples:
        with formatter.section("Examples"):
            formatter.write_dl(examples, col_max=44)

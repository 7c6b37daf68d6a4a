"""All verbs of `pyd`: one line each, so that help and completion need none of their modules."""

from __future__ import annotations

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """A verb.

    Attributes:
        module: Where its `command` is, a `click.Command`.
        summary: One line of help.
        section: The heading it stands under in `pyd --help`; empty keeps it out of there.
    """

    module: str
    summary: str
    section: str


SEE = "See"
ENTER = "Enter"
CHANGE = "Change"
ENGINE = "Engine"

VERBS: dict[str, Entry] = {
    "ps": Entry("pyd_tui.cli.ps", "List containers", SEE),
    "logs": Entry("pyd_tui.cli.logs", "Show what containers print, several merged in time order", SEE),
    "stats": Entry("pyd_tui.cli.stats", "Show processor, memory, network and disk use, live", SEE),
    "top": Entry("pyd_tui.cli.top", "List the processes in a container", SEE),
    "events": Entry("pyd_tui.cli.events", "Show what happens on the engine, as it happens", SEE),
    "inspect": Entry("pyd_tui.cli.inspect", "Show all there is to know about an object", SEE),
    "triage": Entry("pyd_tui.cli.triage", "Say why containers died or what is wrong with them", SEE),
    "history": Entry("pyd_tui.cli.history", "Show how containers died, also those that are gone", SEE),
    "debug": Entry("pyd_tui.cli.debug", "Open a shell with tools inside any container", ENTER),
    "toolbox": Entry("pyd_tui.cli.toolbox", "See and change what tools a debug shell brings", ENTER),
    "exec": Entry("pyd_tui.cli.exec", "Run a program of the container inside it", ENTER),
    "start": Entry("pyd_tui.cli.start", "Start containers", CHANGE),
    "stop": Entry("pyd_tui.cli.stop", "Stop containers", CHANGE),
    "restart": Entry("pyd_tui.cli.restart", "Stop and start containers", CHANGE),
    "kill": Entry("pyd_tui.cli.kill", "Send a signal to containers", CHANGE),
    "pause": Entry("pyd_tui.cli.pause", "Freeze containers", CHANGE),
    "unpause": Entry("pyd_tui.cli.unpause", "Let frozen containers go on", CHANGE),
    "wait": Entry("pyd_tui.cli.wait", "Wait until containers end, and say how", CHANGE),
    "rm": Entry("pyd_tui.cli.rm", "Remove containers", CHANGE),
    "daemon": Entry("pyd_tui.cli.daemon", "Run the embedded engine", ENGINE),
    "record": Entry("pyd_tui.cli.record", "Write down how containers die, until told to end", ENGINE),
    "context": Entry("pyd_tui.cli.context", "List docker contexts and choose the current one", ENGINE),
    "info": Entry("pyd_tui.cli.info", "Show how the engine is set up and what it holds", ENGINE),
    "version": Entry("pyd_tui.cli.version", "Show the versions of pyd and of the engine", ENGINE),
    "completion": Entry("pyd_tui.cli.completion", "Print a completion script for bash, zsh or fish", ""),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("pyd", "open the dashboard"),
    ("pyd ps -a", "all containers, the dead with their exit codes"),
    ("pyd logs -f web db", "follow two containers, in time order"),
    ("pyd debug web", "a shell with tools inside web, whatever its image lacks"),
    ("pyd -H ssh://me@server ps", "containers of another machine"),
)

"""The keys and commands that help lists, by the abilities of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyd_tui.dashboard.input.commands import PaletteCommand
from pyd_tui.dashboard.input.keymap import Key, Scope
from pyd_tui.dashboard.panels.views import FAMILY_VIEWS

CLUSTER_COMMANDS = frozenset(
    {"scale", "rollback", "suspend", "cordon", "uncordon", "orphan", "foreground", "drain", "resource"}
)
"""Commands that clusters have; nodes don't."""
ENGINE_COMMANDS = frozenset({"update", "undo", "accept", "tag", "push", "run", "registry"})
"""Commands that only engines have, besides the actions that a provider says it lacks."""
_ONLY_ENGINES: Mapping[Scope, frozenset[str]] = {
    "views": frozenset({"services", "tasks", "nodes", "stacks"}),
    "everywhere": frozenset({"undo"}),
}
MISSING_KEYS: Mapping[str, Mapping[Scope, frozenset[str]]] = {
    "cluster": {**_ONLY_ENGINES, "browse": frozenset({"files", "debug", "pull", "save", "prune"})},
    "node": {
        **_ONLY_ENGINES,
        "browse": frozenset({"logs", "debug", "pull", "save"}),
        "containers": frozenset({"prune"}),
    },
}
"""The names of keys that do nothing, by family and scope, besides the actions that a provider says it lacks."""
EFFECTS: Mapping[tuple[str, Scope, str], str] = {("cluster", "browse", "logs"): "logs of a workload"}
"""Effects that differ, by family, scope and the key's name."""
ENGINE_DIGITS = "1…6"
"""The keys of an engine's views, unless the settings changed them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpProvider:
    """The provider that help is about.

    Attributes:
        family: Its family: `engine`, `cluster` or `node`.
        lacks: The actions on containers that it lacks.
    """

    family: str = "engine"
    lacks: frozenset[str] = frozenset()

    def has_key(self, scope: Scope, key: Key) -> bool:
        """Return whether a key does anything on this provider."""
        if self.family not in MISSING_KEYS:
            return True
        lacks = frozenset[str]() if scope == "browse" else self.lacks  # it says what containers lack
        return key.name not in lacks | MISSING_KEYS[self.family].get(scope, frozenset())

    def has_command(self, name: str) -> bool:
        """Return whether a command does anything on this provider."""
        if self.family not in MISSING_KEYS:
            return True
        if name in CLUSTER_COMMANDS:
            return self.family == "cluster"
        if name == "prune":
            return "remove" not in self.lacks
        return name not in self.lacks | ENGINE_COMMANDS

    def row(self, scope: Scope, key: Key) -> tuple[str, str]:
        """Return a key as users write it, and its effect; the key of the views names those of the family."""
        views = FAMILY_VIEWS.get(self.family)
        if key.action != "view('containers')" or views is None:
            return key.shown, EFFECTS.get((self.family, scope, key.name), key.help)
        digits = f"1…{len(views) % 10}" if key.shown == ENGINE_DIGITS else key.shown
        return digits, ", ".join(views[:4]) + (" …" if len(views) > 4 else "")

    def effect(self, command: PaletteCommand) -> str:
        """Return the effect of a command, without the word that it is one of clusters if this is one."""
        return command.help.removeprefix("of a cluster: ") if self.family == "cluster" else command.help


ENGINE = HelpProvider()
"""Any engine: help leaves nothing out."""

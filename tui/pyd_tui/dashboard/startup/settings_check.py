"""Problems of well-formed settings: keys, views and commands that don't exist."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

from pyd_core.sanitise import safe
from pyd_tui.config.reader import nearest
from pyd_tui.config.settings import UserCommand, UserSettings
from pyd_tui.dashboard.actions.user_commands import FIELDS, words
from pyd_tui.dashboard.input.commands import COMMANDS
from pyd_tui.dashboard.input.key_bindings import Keys, Problem
from pyd_tui.dashboard.panels.views import CLUSTER_VIEWS, SWARM_VIEWS, VIEWS
from pyd_tui.dashboard.render.containers import COLUMNS as CONTAINER_COLUMNS


def problems(settings: UserSettings) -> list[Problem]:
    """Return all problems of the settings."""
    result = list(Keys(settings.keys, settings.commands).problems)
    views = tuple(dict.fromkeys((*VIEWS, *SWARM_VIEWS, *CLUSTER_VIEWS)))
    if settings.view and settings.view not in views:
        result.append(Problem(("view",), f"there is no view {safe(settings.view)}", nearest(settings.view, views)))
    for view, columns in settings.columns.items():
        result += _columns(view, columns, views)
    names: set[str] = set()
    for number, command in enumerate(settings.commands):
        result += _command(number, command)
        if command.name in names | set(views) | set(COMMANDS):
            steps = ("commands", str(number), "name")
            result.append(Problem(steps, f"there is a command {safe(command.name)} already", "give it another name"))
        names.add(command.name)
    return result


def _columns(view: str, names: tuple[str, ...], views: Sequence[str]) -> Iterator[Problem]:
    """Check the columns of a view; those of other resources of a cluster are known only to the cluster."""
    from pyd_tui.dashboard.resources.cluster import CLUSTER_RESOURCES  # noqa: PLC0415 - only where columns are set
    from pyd_tui.dashboard.resources.registry import RESOURCE_PREFIX, RESOURCES  # noqa: PLC0415 - as above

    if view.startswith(RESOURCE_PREFIX):
        return
    resources = [known[view] for known in (RESOURCES, CLUSTER_RESOURCES) if view in known]
    columns = [column.key for resource in resources for column in resource.columns]
    if view == "containers":
        columns = [column.key for column in CONTAINER_COLUMNS]
    steps = ("columns", view)
    if not columns:
        yield Problem(steps, f"there is no view {safe(view)}", nearest(view, views))
    elif not names:
        yield Problem(steps, f"{safe(view)} has no column left", "remove the line to show all")
    for name in names if columns else ():
        if name not in columns:
            yield Problem(steps, f"{safe(view)} has no column {safe(name)}", nearest(name, columns))
        elif names.count(name) > 1:
            yield Problem(steps, f"{safe(view)} has the column {safe(name)} twice", "name it once")
            return


def _command(number: int, command: UserCommand) -> list[Problem]:
    steps = ("commands", str(number), "run")
    try:
        parts = words(command)
        fields = [name for part in parts for _, name, _, _ in string.Formatter().parse(part) if name is not None]
    except ValueError as error:
        return [
            Problem(steps, f"{safe(command.name)}: {str(error).lower()}", "write { as {{, and close what is quoted")
        ]
    if not parts:
        return [Problem(steps, f"{safe(command.name)} runs nothing", "set what to run")]
    known = (*FIELDS, *command.prompts)
    return [
        Problem(steps, f"{safe(command.name)}: there is no field {safe(name)}", nearest(name, known))
        for name in fields
        if name not in known
    ]

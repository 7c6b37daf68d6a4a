"""Finding the container a user means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyd_core.client.engine_client import EngineClient
from pyd_core.errors import Ambiguous, NotFound
from pyd_core.model.container import ContainerSummary
from pyd_core.sanitise import safe

MOST_CANDIDATES = 10
"""Names listed in an error; more than that help nobody."""


async def resolve_container(engine: EngineClient, name: str) -> ContainerSummary:
    """Return the container that `name` means: its id, its name, or the beginning of its id.

    The order is Docker Engine's own, so that a container named like the beginning of another's id can be reached.

    Raises:
        NotFound: There is none; `nearest` lists names that look alike.
        Ambiguous: The beginning of several ids; `candidates` lists their names.
    """
    return pick_container(await engine.containers.list(all=True), name)


def pick_container(containers: Sequence[ContainerSummary], name: str) -> ContainerSummary:
    """Choose among `containers` as `resolve_container` does."""
    wanted = name.removeprefix("/")
    for container in containers:
        if container.id == wanted:
            return container
    for container in containers:
        if wanted in {known.removeprefix("/") for known in container.names}:
            return container
    found = [container for container in containers if wanted and container.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        candidates = [f"{container.id[:12]} ({container.name})" for container in found]
        raise Ambiguous(
            f"{safe(name)!r} is the beginning of {len(found)} container ids",
            candidates=candidates,
            hint=f"write more of the id, or the name: {_listed(candidates)}",
        )
    nearest = _nearest(wanted, (container.name for container in containers))
    raise NotFound(
        f"no such container: {safe(name)}",
        nearest=nearest,
        hint=f"did you mean {_listed(nearest)}?" if nearest else "list them with: pyd ps -a",
        reference="no-such-container",
    )


def _nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Names that contain what was written, or that a typing error away."""
    import difflib  # noqa: PLC0415 - only a name that isn't there costs its import

    known = sorted(set(names))
    lower = wanted.lower()
    inside = [name for name in known if lower and lower in name.lower()]
    close = difflib.get_close_matches(wanted, known, n=5, cutoff=0.6)
    return list(dict.fromkeys([*close, *inside]))[:5]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(safe(name) for name in names[:MOST_CANDIDATES])
    return f"{shown}, …" if len(names) > MOST_CANDIDATES else shown

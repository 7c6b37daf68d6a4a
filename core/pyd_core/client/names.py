"""Resolution of container names and id prefixes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyd_core.client.provider import Provider
from pyd_core.errors import Ambiguous, NotFound
from pyd_core.model.container import ContainerSummary
from pyd_core.sanitise import safe

MAX_CANDIDATES = 10
"""Names listed in an error; longer lists don't help."""


async def resolve_container(engine: Provider, name: str) -> ContainerSummary:
    """Return the container that `name` means: its id, its name, or the beginning of its id.

    The order is Docker Engine's own, so that a container named like the beginning of another's id can be reached.

    Raises:
        NotFound: There is none; `nearest` lists names that look alike.
        Ambiguous: The beginning of several ids; `candidates` lists their names.
    """
    return pick_container(await engine.containers.list(all=True), name)


def pick_container(containers: Sequence[ContainerSummary], name: str) -> ContainerSummary:
    """Choose among `containers` as `resolve_container` does."""
    reference = name.removeprefix("/")
    for container in containers:
        if container.id == reference:
            return container
    for container in containers:
        if reference in {known.removeprefix("/") for known in container.names}:
            return container
    matches = [container for container in containers if reference and container.id.startswith(reference)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        candidates = [f"{container.id[:12]} ({container.name})" for container in matches]
        raise Ambiguous(
            f"{safe(name)!r} is the beginning of {len(matches)} container ids",
            candidates=candidates,
            hint=f"write more of the id, or the name: {_join_names(candidates)}",
        )
    nearest = _nearest_names(reference, (container.name for container in containers))
    raise NotFound(
        f"no such container: {safe(name)}",
        nearest=nearest,
        hint=f"did you mean {_join_names(nearest)}?" if nearest else "list them with: pyd ps -a",
        reference="no-such-container",
    )


def _nearest_names(reference: str, names: Iterable[str]) -> list[str]:
    """Return names that contain the text or differ from it by a typing error."""
    import difflib  # noqa: PLC0415 - only a name that isn't there costs its import

    known = sorted(set(names))
    lower = reference.lower()
    inside = [name for name in known if lower and lower in name.lower()]
    close = difflib.get_close_matches(reference, known, n=5, cutoff=0.6)
    return list(dict.fromkeys([*close, *inside]))[:5]


def _join_names(names: Sequence[str]) -> str:
    shown = ", ".join(safe(name) for name in names[:MAX_CANDIDATES])
    return f"{shown}, …" if len(names) > MAX_CANDIDATES else shown

"""The files of layers, and what becomes of them when the layers are put on one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class LayerContent:
    """What one layer holds, by paths without a leading slash.

    Attributes:
        name: Its digest, or whatever tells it from others.
        files: Everything that isn't a directory, with its size in bytes; a hard link has none of its own.
        removed: Paths of lower layers that it takes away, with all below them.
        emptied: Directories of which it takes away all that lower layers have in them.
    """

    name: str
    files: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStep:
    """What one layer does to those below it: counts of files, and bytes."""

    name: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    size: int = 0
    """Bytes of all files in it."""
    wasted: int = 0
    """Bytes of lower layers that it makes unreachable, though the image goes on carrying them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WastedSpace:
    """A file that is in the image more often than it can be read."""

    path: str
    size: int
    """Bytes that nobody can reach."""
    copies: int
    """Layers that have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What all layers come to."""

    steps: tuple[LayerStep, ...]
    """From the lowest layer up."""
    waste: tuple[WastedSpace, ...]
    """The most wasteful first."""
    size: int
    """Bytes of all files in all layers."""

    @property
    def wasted(self) -> int:
        """Bytes that nobody can reach."""
        return sum(step.wasted for step in self.steps)

    @property
    def efficiency(self) -> float:
        """The share of its bytes that can be read, 0 to 1."""
        return 1 - self.wasted / self.size if self.size else 1.0


def pile(layers: Sequence[LayerContent]) -> Contents:
    """Puts layers on one another, the lowest first.

    The time this takes grows with the files and the paths removed, not with their product: what is below a directory is
    found in one walk over what is visible, for each layer that removes directories.
    """
    visible: dict[str, int] = {}
    lost: dict[str, int] = {}
    copies: dict[str, int] = {}
    steps: list[LayerStep] = []
    for layer in layers:
        gone = _covered(visible, layer)
        wasted = 0
        for path in gone:
            size = visible.pop(path)
            wasted += size
            lost[path] = lost.get(path, 0) + size
        changed = len(gone.intersection(layer.files))
        for path, size in layer.files.items():
            before = visible.get(path)
            if before is not None:
                changed += 1
                wasted += before
                lost[path] = lost.get(path, 0) + before
            visible[path] = size
            copies[path] = copies.get(path, 0) + 1
        steps.append(
            LayerStep(
                name=layer.name,
                added=len(layer.files) - changed,
                changed=changed,
                removed=len(gone) - len(gone.intersection(layer.files)),
                size=sum(layer.files.values()),
                wasted=wasted,
            )
        )
    waste = [WastedSpace(path=path, size=size, copies=copies[path]) for path, size in lost.items() if size]
    waste.sort(key=lambda one: (-one.size, one.path))
    return Contents(steps=tuple(steps), waste=tuple(waste), size=sum(step.size for step in steps))


def _covered(visible: Iterable[str], layer: LayerContent) -> set[str]:
    """Paths that a layer takes away: themselves, by a directory above them, or by a file in a directory's place."""
    tops = layer.removed | layer.emptied
    if not tops:
        return set()
    found = set()
    for path in visible:
        if path in layer.removed:
            found.add(path)
            continue
        at = path.rfind("/")
        while at > 0:
            if path[:at] in tops:
                found.add(path)
                break
            at = path.rfind("/", 0, at)
        if "" in layer.emptied:
            found.add(path)
    return found

"""Files of layers, and the result of stacking the layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class LayerContent:
    """Files of one layer, by paths without a leading slash.

    Attributes:
        name: Its digest, or another unique name.
        files: Everything that isn't a directory, with its size in bytes; a hard link has none of its own.
        removed: Paths of lower layers that it removes, with everything below them.
        emptied: Opaque directories: it hides everything that lower layers have in them.
    """

    name: str
    files: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStep:
    """Effect of one layer on those below it: numbers of files, and bytes."""

    name: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    size: int = 0
    """Bytes of all files in it."""
    wasted: int = 0
    """Bytes of lower layers that it makes unreachable, though the image still carries them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WastedSpace:
    """File that the image stores more often than it can be read."""

    path: str
    size: int
    """Bytes that are unreachable."""
    copies: int
    """Number of layers that store it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Files of all layers together."""

    steps: tuple[LayerStep, ...]
    """From the lowest layer up."""
    waste: tuple[WastedSpace, ...]
    """The most wasteful first."""
    size: int
    """Bytes of all files in all layers."""

    @property
    def wasted(self) -> int:
        """Bytes that are unreachable."""
        return sum(step.wasted for step in self.steps)

    @property
    def efficiency(self) -> float:
        """The share of its bytes that can be read, 0 to 1."""
        return 1 - self.wasted / self.size if self.size else 1.0


def pile(layers: Sequence[LayerContent]) -> Contents:
    """Stack layers, the lowest first.

    The running time grows with the number of files and of removed paths, not with their product: for each layer that
    removes directories, one walk over the visible paths finds what is below them.
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
    """Return the paths that a layer hides: by removing them, by removing or replacing a directory above them."""
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

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
        opaque_directories: Opaque directories: it hides everything that lower layers have in them.
    """

    name: str
    files: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    opaque_directories: set[str] = field(default_factory=set)


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
    """A path with unreachable copies, which later layers replace or remove."""

    path: str
    size: int
    """Bytes that are unreachable."""
    copies: int
    """Number of layers that store it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContents:
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


def stack_layers(layers: Sequence[LayerContent]) -> ImageContents:
    """Stack layers, the lowest first.

    The running time grows with the number of files and of removed paths, not with their product: for each layer that
    removes directories, one walk over the visible paths finds what is below them.
    """
    visible: dict[str, int] = {}
    wasted_bytes: dict[str, int] = {}
    copies: dict[str, int] = {}
    steps: list[LayerStep] = []
    for layer in layers:
        hidden = _hidden_paths(visible, layer)
        wasted = 0
        for path in hidden:
            size = visible.pop(path)
            wasted += size
            wasted_bytes[path] = wasted_bytes.get(path, 0) + size
        changed = len(hidden.intersection(layer.files))
        for path, size in layer.files.items():
            old_size = visible.get(path)
            if old_size is not None:
                changed += 1
                wasted += old_size
                wasted_bytes[path] = wasted_bytes.get(path, 0) + old_size
            visible[path] = size
            copies[path] = copies.get(path, 0) + 1
        steps.append(
            LayerStep(
                name=layer.name,
                added=len(layer.files) - changed,
                changed=changed,
                removed=len(hidden) - len(hidden.intersection(layer.files)),
                size=sum(layer.files.values()),
                wasted=wasted,
            )
        )
    waste = [WastedSpace(path=path, size=size, copies=copies[path]) for path, size in wasted_bytes.items() if size]
    waste.sort(key=lambda file: (-file.size, file.path))
    return ImageContents(steps=tuple(steps), waste=tuple(waste), size=sum(step.size for step in steps))


def _hidden_paths(visible: Iterable[str], layer: LayerContent) -> set[str]:
    """Return the paths that a layer hides: by removing them, by removing or replacing a directory above them."""
    directories = layer.removed | layer.opaque_directories
    if not directories:
        return set()
    hidden = set()
    for path in visible:
        if path in layer.removed:
            hidden.add(path)
            continue
        slash = path.rfind("/")
        while slash > 0:
            if path[:slash] in directories:
                hidden.add(path)
                break
            slash = path.rfind("/", 0, slash)
        if "" in layer.opaque_directories:
            hidden.add(path)
    return hidden

"""The labels of a request, as the instructions that the classic builder adds to the last stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyd_core.dockerfile.instructions import LabelInstruction, Pair
from pyd_core.dockerfile.span import NOWHERE
from pyd_core.dockerfile.tree import InstructionNode


def label_instructions(labels: Mapping[str, str]) -> Iterator[LabelInstruction]:
    """Yield a LABEL for each label, sorted by name."""
    for name, value in sorted(labels.items()):
        node = InstructionNode("LABEL", (), (), "", f"LABEL {name}={value}", NOWHERE)
        yield LabelInstruction(node=node, pairs=(Pair(_quote(name), _quote(value)),))


def _quote(text: str) -> str:
    """Return a text whose expansion is the text itself."""
    return "'" + text.replace("'", "'\"'\"'") + "'"

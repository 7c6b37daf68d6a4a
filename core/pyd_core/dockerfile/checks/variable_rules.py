"""The rule about variables that aren't defined."""

from __future__ import annotations

from collections.abc import Iterator

from pyd_core.dockerfile.checks.argument_rules import PLATFORM_ARGUMENTS
from pyd_core.dockerfile.checks.book import BOOK, Remark
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.instructions import (
    AddInstruction,
    ArgInstruction,
    EnvInstruction,
    ExposeInstruction,
    LabelInstruction,
    RunInstruction,
    Stage,
    StopSignalInstruction,
    TransferInstruction,
    TypedInstruction,
    UserInstruction,
    VolumeInstruction,
    WorkdirInstruction,
)
from pyd_core.dockerfile.suggestions import nearest_word
from pyd_core.errors import DockerfileError

DEFAULT_VARIABLES = frozenset({"PATH"})


@BOOK.rule("UndefinedVar", "Variables should be defined before their use")
def undefined_var(case: CheckCase) -> Iterator[Remark]:
    """Find variables that nothing defines.

    The variables of a base image are unknown without an engine; then only names that resemble a defined one count.
    """
    for stage in case.stages:
        chain = case.chain(stage)
        defined, is_complete = _base_variables(case, chain[0])
        for link in chain:
            for instruction in link.instructions:
                if link is stage:
                    yield from _remarks(case, instruction, defined, is_complete=is_complete)
                defined |= _definitions(instruction)


def _base_variables(case: CheckCase, stage: Stage) -> tuple[set[str], bool]:
    facts = case.bases.get(stage.index)
    if facts is not None:
        return {*facts.environment, *DEFAULT_VARIABLES}, True
    return set(DEFAULT_VARIABLES), stage.start.base == "scratch"


def _definitions(instruction: TypedInstruction) -> set[str]:
    if isinstance(instruction, EnvInstruction):
        return {pair.name.strip("'\"") for pair in instruction.pairs}
    if isinstance(instruction, ArgInstruction):
        return {item.name for item in instruction.declarations}
    return set()


def _remarks(
    case: CheckCase, instruction: TypedInstruction, defined: set[str], *, is_complete: bool
) -> Iterator[Remark]:
    rules = ExpansionRules(escape=case.tree.directives.escape)
    values = dict.fromkeys(defined, "x")
    unset: set[str] = set()
    for text in expanded_texts(instruction):
        try:
            unset |= expand(text, values, rules).unmatched
        except DockerfileError:
            continue
    if isinstance(instruction, ArgInstruction):
        unset -= {item.name for item in instruction.declarations}
    for name in sorted(unset):
        nearest = nearest_word(name, defined | set(PLATFORM_ARGUMENTS) if name.isupper() else defined)
        if not is_complete and (not nearest or nearest in DEFAULT_VARIABLES):
            continue
        yield Remark(
            span=instruction.span, hint=f"ARG {name}, if clients should set it",
            message=f"Usage of undefined variable '${name}'" + (f" (did you mean ${nearest}?)" if nearest else ""),
        )  # fmt: skip


def expanded_texts(instruction: TypedInstruction) -> list[str]:
    """Return the texts of an instruction in which builds replace variables."""
    if isinstance(instruction, TransferInstruction):
        texts = [*instruction.sources, instruction.destination, instruction.chown, instruction.chmod]
        return [*texts, *instruction.excludes, instruction.checksum if isinstance(instruction, AddInstruction) else ""]
    if isinstance(instruction, EnvInstruction | LabelInstruction):
        return [text for pair in instruction.pairs for text in (pair.name, pair.value)]
    if isinstance(instruction, ArgInstruction):
        return [item.default for item in instruction.declarations if item.default is not None]
    if isinstance(instruction, RunInstruction):
        return [field.partition("=")[2] for mount in instruction.mounts for field in mount.fields]
    return _metadata_texts(instruction)


def _metadata_texts(instruction: TypedInstruction) -> list[str]:
    if isinstance(instruction, ExposeInstruction):
        return list(instruction.ports)
    if isinstance(instruction, VolumeInstruction):
        return list(instruction.paths)
    if isinstance(instruction, UserInstruction):
        return [instruction.user]
    if isinstance(instruction, WorkdirInstruction):
        return [instruction.path]
    return [instruction.signal] if isinstance(instruction, StopSignalInstruction) else []

"""Rules about the form: case of keywords, empty continuations, older formats, ports."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyd_core.dockerfile.checks.book import BOOK, Remark
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.checks.finding import Fix
from pyd_core.dockerfile.checks.line_edits import replace_in_line, replace_keyword
from pyd_core.dockerfile.instructions import ExposeInstruction, MaintainerInstruction
from pyd_core.dockerfile.tree import InstructionNode

_PLAIN_VALUE = re.compile(r"[\w./:@,+%=-]+(?: +[\w./:@,+%=-]+)*")


@BOOK.rule("NoEmptyContinuation", "Empty continuation lines will become errors in a future release")
def no_empty_continuation(case: CheckCase) -> Iterator[Remark]:
    """Find empty lines among continuation lines."""
    for span in case.tree.empty_continuations:
        lines = case.tree.lines[span.start - 1 : span.end]
        fix = Fix(span, tuple(line for line in lines if line.strip()))
        yield Remark(span=span, message="Empty continuation line", hint="remove the empty line", fix=fix)


@BOOK.rule(
    "ConsistentInstructionCasing",
    "All commands within the Dockerfile should use the same casing (either upper or lower)",
)
def consistent_casing(case: CheckCase) -> Iterator[Remark]:
    """Find keywords in another case than most."""
    nodes = case.tree.instructions
    lower = sum(node.keyword == node.keyword.lower() for node in nodes)
    upper = sum(node.keyword == node.keyword.upper() for node in nodes)
    for node in nodes:
        right = node.keyword.lower() if lower > upper else node.keyword.upper()
        if node.keyword == right:
            continue
        casing = "lowercase" if lower > upper else "uppercase"
        yield Remark(
            span=node.span, hint=f"write {right}", fix=replace_keyword(case.tree, node, right),
            message=f"Command '{node.keyword}' should match the case of the command majority ({casing})",
        )  # fmt: skip


@BOOK.rule(
    "MaintainerDeprecated", "The MAINTAINER instruction is deprecated, use a label instead to define an image author"
)
def maintainer_deprecated(case: CheckCase) -> Iterator[Remark]:
    """Find MAINTAINER."""
    for _, instruction in case.instructions():
        if isinstance(instruction, MaintainerInstruction):
            yield Remark(
                span=instruction.span, message="Maintainer instruction is deprecated in favor of using label",
                hint='LABEL org.opencontainers.image.authors="…"',
            )  # fmt: skip


@BOOK.rule("LegacyKeyValueFormat", "Legacy key/value format with whitespace separator should not be used")
def legacy_key_value(case: CheckCase) -> Iterator[Remark]:
    """Find `ENV NAME VALUE`."""
    for node in case.tree.instructions:
        if node.legacy_pairs:
            word = node.word
            yield Remark(
                span=node.span, hint=f"{word} {node.arguments[0]}=…", fix=_pair_fix(node),
                message=f'"{word} key=value" should be used instead of legacy "{word} key value" format',
            )  # fmt: skip


def _pair_fix(node: InstructionNode) -> Fix | None:
    """Return a fix for a pair on one line whose value has no quotes, escapes or variables."""
    name, value = node.arguments
    if node.span.start != node.span.end or not _PLAIN_VALUE.fullmatch(value):
        return None
    quoted = f'"{value}"' if " " in value else value
    return Fix(node.span, (f"{node.keyword} {name}={quoted}",))


@BOOK.rule("ExposeProtoCasing", "Protocol in EXPOSE instruction should be lowercase")
def expose_proto_casing(case: CheckCase) -> Iterator[Remark]:
    """Find `EXPOSE 80/TCP`."""
    for _, instruction in case.instructions():
        if not isinstance(instruction, ExposeInstruction):
            continue
        for port in instruction.ports:
            protocol = port.partition("/")[2]
            if protocol == protocol.lower() or "$" in protocol:
                continue
            right = f"{port.partition('/')[0]}/{protocol.lower()}"
            span = instruction.span
            fix = replace_in_line(case.tree, span.start, port, right) if span.start == span.end else None
            yield Remark(
                span=span, fix=fix, hint=f"write {right}",
                message=f"Defined protocol '{port}' in EXPOSE instruction should be lowercase",
            )  # fmt: skip


@BOOK.rule("ExposeInvalidFormat", "IP address and host-port mapping should not be used in EXPOSE instruction")
def expose_invalid_format(case: CheckCase) -> Iterator[Remark]:
    """Find addresses and host ports in EXPOSE."""
    for _, instruction in case.instructions():
        if not isinstance(instruction, ExposeInstruction):
            continue
        for port in instruction.ports:
            if ":" in port and "$" not in port:
                message = f"EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"
                yield Remark(span=instruction.span, message=message, hint=f"EXPOSE {port.rpartition(':')[2]}")

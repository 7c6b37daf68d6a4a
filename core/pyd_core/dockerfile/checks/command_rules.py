"""Rules about commands and directories: CMD, ENTRYPOINT, HEALTHCHECK, WORKDIR and COPY."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from pyd_core.dockerfile.checks.book import BOOK, Remark
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.ignore import IgnorePatterns
from pyd_core.dockerfile.instructions import (
    CmdInstruction,
    CopyInstruction,
    EntrypointInstruction,
    HealthcheckInstruction,
    ShellInstruction,
    TransferInstruction,
    TypedInstruction,
    WorkdirInstruction,
)
from pyd_core.errors import InvalidInput


@BOOK.rule(
    "JSONArgsRecommended",
    "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
)
def json_args(case: CheckCase) -> Iterator[Remark]:
    """Find CMD and ENTRYPOINT in the shell form, unless a shell is chosen."""
    for stage in case.stages:
        has_shell = False
        for link in case.chain(stage):
            for instruction in link.instructions:
                has_shell = has_shell or isinstance(instruction, ShellInstruction)
                is_command = isinstance(instruction, CmdInstruction | EntrypointInstruction)
                if link is stage and is_command and not has_shell and not instruction.node.is_json:
                    word = instruction.node.word
                    yield Remark(
                        span=instruction.span, hint=f'{word} ["program", "argument"]',
                        message=f"JSON arguments recommended for {word} to prevent unintended behavior related to "
                        "OS signals",
                    )  # fmt: skip


@BOOK.rule(
    "MultipleInstructionsDisallowed", "Multiple instructions of the same type should not be used in the same stage"
)
def multiple_instructions(case: CheckCase) -> Iterator[Remark]:
    """Find CMD, ENTRYPOINT and HEALTHCHECK that a later one replaces."""
    for stage in case.stages:
        last: dict[str, TypedInstruction] = {}
        for instruction in stage.instructions:
            if not isinstance(instruction, CmdInstruction | EntrypointInstruction | HealthcheckInstruction):
                continue
            word = instruction.node.word
            if word in last:
                yield Remark(
                    span=last[word].span, hint="remove it",
                    message=f"Multiple {word} instructions should not be used in the same stage because only the last "
                    "one will be used",
                )  # fmt: skip
            last[word] = instruction


@BOOK.rule(
    "WorkdirRelativePath",
    "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base "
    "image changes",
)
def workdir_relative(case: CheckCase) -> Iterator[Remark]:
    """Find a first WORKDIR that is relative."""
    for stage in case.stages:
        chain = case.chain(stage)
        if any(isinstance(instruction, WorkdirInstruction) for link in chain[:-1] for instruction in link.instructions):
            continue
        first = next((item for item in stage.instructions if isinstance(item, WorkdirInstruction)), None)
        if first is not None and not first.path.strip("'\"").startswith(("/", "$")):
            message = f'Relative workdir "{first.path}" can have unexpected results if the base image changes'
            yield Remark(span=first.span, message=message, hint=f"WORKDIR /{first.path}")


@BOOK.rule("CopyIgnoredFile", "Attempting to Copy file that is excluded by .dockerignore", is_experimental=True)
def copy_ignored_file(case: CheckCase) -> Iterator[Remark]:
    """Find files to copy that the ignore file excludes."""
    if case.ignore_patterns is None:
        return
    try:
        ignore = IgnorePatterns(case.ignore_patterns)
    except InvalidInput:
        return
    for _, instruction in case.instructions():
        if not isinstance(instruction, TransferInstruction):
            continue
        if isinstance(instruction, CopyInstruction) and instruction.stage:
            continue
        for source in instruction.sources:
            path = posixpath.normpath(source).lstrip("/")
            if "$" in source or "://" in source or path in {"", "."}:
                continue
            pattern = ignore.excluding_pattern(path)
            if pattern:
                verb = instruction.node.word.capitalize()
                message = f'Attempting to {verb} file "{source}" that is excluded by .dockerignore'
                yield Remark(span=instruction.span, message=message, hint=f"the pattern {pattern} excludes it")

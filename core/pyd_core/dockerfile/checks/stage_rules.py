"""Rules about stages: names, platforms, and keywords of FROM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyd_core.dockerfile.checks.book import BOOK, Remark
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.checks.line_edits import replace_in_line
from pyd_core.dockerfile.expansion import expand
from pyd_core.dockerfile.platforms import parse_platform_text
from pyd_core.errors import DockerfileError, InvalidInput

RESERVED_NAMES = frozenset({"context", "scratch"})
_TARGET_PLATFORM = re.compile(r"\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})")


@BOOK.rule("StageNameCasing", "Stage names should be lowercase")
def stage_name_casing(case: CheckCase) -> Iterator[Remark]:
    """Find stage names with capital letters."""
    for stage in case.stages:
        name = stage.start.written_name
        if name != name.lower():
            yield Remark(span=stage.start.span, message=f"Stage name '{name}' should be lowercase")


@BOOK.rule("FromAsCasing", "The 'as' keyword should match the case of the 'from' keyword")
def from_as_casing(case: CheckCase) -> Iterator[Remark]:
    """Find `FROM x as y` and `from x AS y`."""
    for stage in case.stages:
        node = stage.start.node
        if not stage.name:
            continue
        keyword = node.arguments[1]
        if (node.keyword == node.keyword.upper()) == (keyword == keyword.upper()):
            continue
        right = keyword.upper() if node.keyword == node.keyword.upper() else keyword.lower()
        yield Remark(
            span=node.span, message=f"'{keyword}' and '{node.keyword}' keywords' casing do not match",
            hint=f"write {right}", fix=replace_in_line(case.tree, node.span.start, keyword, right),
        )  # fmt: skip


@BOOK.rule("DuplicateStageName", "Stage names should be unique")
def duplicate_stage_name(case: CheckCase) -> Iterator[Remark]:
    """Find names that two stages have."""
    names: set[str] = set()
    for stage in case.stages:
        if stage.name in names:
            message = f'Duplicate stage name "{stage.start.written_name}", stage names should be unique'
            yield Remark(span=stage.start.span, message=message)
        if stage.name:
            names.add(stage.name)


@BOOK.rule("ReservedStageName", "Reserved words should not be used as stage names")
def reserved_stage_name(case: CheckCase) -> Iterator[Remark]:
    """Find stages with names that mean something else."""
    for stage in case.stages:
        if stage.name in RESERVED_NAMES:
            message = f'Stage name should not use the same name as reserved stage "{stage.name}"'
            yield Remark(span=stage.start.span, message=message)


@BOOK.rule(
    "RedundantTargetPlatform",
    "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
)
def redundant_target_platform(case: CheckCase) -> Iterator[Remark]:
    """Find `--platform=$TARGETPLATFORM`."""
    declared = {item.name for argument in case.dockerfile.global_arguments for item in argument.declarations}
    for stage in case.stages:
        platform = stage.start.platform
        if "TARGETPLATFORM" in declared or not _TARGET_PLATFORM.fullmatch(platform):
            continue
        fix = replace_in_line(case.tree, stage.start.span.start, f"--platform={platform}", "")
        if fix is not None:
            fix = type(fix)(fix.span, tuple(re.sub(r"(?i)^(\s*from)\s+", r"\1 ", line) for line in fix.lines))
        yield Remark(
            span=stage.start.span, fix=fix, hint="remove --platform",
            message=f"Setting platform to predefined {platform} in FROM is redundant as this is the default behavior",
        )  # fmt: skip


@BOOK.rule("FromPlatformFlagConstDisallowed", "FROM --platform flag should not use a constant value")
def from_platform_flag_const(case: CheckCase) -> Iterator[Remark]:
    """Find constant platforms, except in stages whose names contain them."""
    for stage in case.stages:
        text = stage.start.platform
        if not text or _has_variables(text):
            continue
        try:
            platform = parse_platform_text(text)
        except InvalidInput:
            continue
        if platform.os in stage.name or platform.architecture in stage.name:
            continue
        message = f'FROM --platform flag should not use constant value "{text}"'
        yield Remark(span=stage.start.span, message=message, hint="--platform=$BUILDPLATFORM, or none")


def _has_variables(text: str) -> bool:
    try:
        expansion = expand(text, {})
    except DockerfileError:
        return True
    return bool(expansion.matched or expansion.unmatched)


@BOOK.rule("InvalidBaseImagePlatform", "Base image platform does not match expected target platform")
def invalid_base_image_platform(case: CheckCase) -> Iterator[Remark]:
    """Find images that are for another platform than was requested."""
    for stage in case.stages:
        facts = case.bases.get(stage.index)
        if facts is None or not facts.platform or facts.platform == facts.expected_platform:
            continue
        message = (
            f'Base image {stage.start.base} was pulled with platform "{facts.platform}", '
            f'expected "{facts.expected_platform}" for current build'
        )
        yield Remark(span=stage.start.span, message=message)


@BOOK.rule(
    "InvalidDefinitionDescription",
    "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`",
    is_experimental=True,
)
def invalid_definition_description(case: CheckCase) -> Iterator[Remark]:
    """Find comments above ARG and FROM that don't begin with the name they describe."""
    described = [(stage.start.node, stage.name, "FROM") for stage in case.stages if stage.name]
    described += [
        (argument.node, argument.declarations[0].name, "ARG") for argument in case.dockerfile.global_arguments
    ]
    for node, name, keyword in described:
        comments = [comment for comment in node.comments if "=" not in comment.split(" ")[0]]
        if comments and not any(comment.startswith(f"{name} ") for comment in comments):
            message = f"Comment for {keyword} should follow the format: `# {name} <description>`"
            yield Remark(span=node.span, message=message)

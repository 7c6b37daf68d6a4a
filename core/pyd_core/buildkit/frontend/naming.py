"""Names of steps in progress: `[build 2/5] RUN make`."""

from __future__ import annotations

from collections.abc import Mapping

from pyd_core.buildkit.frontend.stage_node import StageNode
from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.platforms import parse_platform_text
from pyd_core.errors import DockerfileError, InvalidInput

MAX_NAME_LENGTH = 4096
"""Limit for a step's name."""


def step_name(node: StageNode, text: str, *, with_platform: bool, is_trigger: bool = False, count: bool = True) -> str:
    """Return a step's name, and count the step.

    Args:
        node: The stage.
        text: The instruction.
        with_platform: Whether the platform is part of the name, as in builds for several.
        is_trigger: Whether the instruction is an ONBUILD trigger.
        count: Whether it is another step than the last.
    """
    text = text[:MAX_NAME_LENGTH]
    if not node.step_total:
        return text
    node.step_number += count
    width = len(str(node.step_total))
    parts = []
    if with_platform and node.platform is not None:
        parts.append(f"{node.platform}{_cross_target(node)}")
    if node.shown_name:
        parts.append(node.shown_name)
    parts.append(f"{node.step_number:{width}}/{node.step_total}")
    return f"[{' '.join(parts)}] {'ONBUILD ' if is_trigger else ''}{text}"


def expanded_name(node: StageNode, source: str, escape: str, *, masked: Mapping[str, str] | None = None) -> str:
    """Return an instruction with its variables replaced and its keyword in upper case; unset ones stay."""
    rules = ExpansionRules(escape=escape, keep_quotes=True, keep_unset=True)
    try:
        text = expand(source, {**node.environment, **(masked or {})}, rules).text
    except DockerfileError:
        text = source
    keyword, space, rest = text.partition(" ")
    return f"{keyword.upper()}{space}{rest}"


def _cross_target(node: StageNode) -> str:
    """Return `->arm64` for a stage that runs on another platform than it builds for."""
    text = node.environment.get("TARGETPLATFORM", "")
    if not text or node.platform is None:
        return ""
    try:
        target = parse_platform_text(text)
    except InvalidInput:
        return ""
    if target.os != node.platform.os:
        return f"->{target}"
    return "" if target.architecture == node.platform.architecture else f"->{str(target).partition('/')[2]}"

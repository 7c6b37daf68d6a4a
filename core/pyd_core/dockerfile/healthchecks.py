"""HEALTHCHECK: options, command and kind."""

from __future__ import annotations

from pyd_core.dockerfile.flags import InstructionFlags
from pyd_core.dockerfile.suggestions import did_you_mean
from pyd_core.dockerfile.tree import InstructionNode
from pyd_core.errors import DockerfileError, InvalidInput
from pyd_core.gosyntax.durations import MAX_LENGTH, parse_duration
from pyd_core.model.container_config import HealthConfig

MIN_INTERVAL_NS = 1_000_000
"""Docker Engine measures no shorter times."""
_MAX_INTERVAL_NS = (1 << 63) - 1
_MAX_RETRIES = (1 << 31) - 1
_TIMES = ("interval", "timeout", "start-period", "start-interval")


def parse_healthcheck(node: InstructionNode) -> HealthConfig:
    """Return a health check.

    Raises:
        DockerfileError: The kind is neither NONE nor CMD, the command is missing, or an option is not allowed.
    """
    if not node.arguments:
        raise DockerfileError("HEALTHCHECK requires at least one argument")
    kind = node.arguments[0].upper()
    command = node.arguments[1:]
    if kind == "NONE":
        InstructionFlags(node.flags)
        if command:
            raise DockerfileError("HEALTHCHECK NONE takes no arguments")
        return HealthConfig(test=["NONE"])
    flags = InstructionFlags(node.flags, texts=(*_TIMES, "retries"))
    if kind != "CMD":
        nearest = did_you_mean(kind, ("CMD", "NONE"))
        raise DockerfileError(f'Unknown type "{kind[:60]}" in HEALTHCHECK (try CMD){nearest}')
    if not command:
        raise DockerfileError("Missing command after HEALTHCHECK CMD")
    interval, timeout, start_period, start_interval = (_time(name, flags.text(name)) for name in _TIMES)
    return HealthConfig(
        test=["CMD" if node.is_json else "CMD-SHELL", *command],
        interval=interval, timeout=timeout, start_period=start_period, start_interval=start_interval,
        retries=_retries(flags.text("retries")),
    )  # fmt: skip


def _time(name: str, text: str) -> int:
    if not text:
        return 0
    try:
        nanoseconds = parse_duration(text[:MAX_LENGTH])
    except InvalidInput as error:
        raise DockerfileError(f"--{name}: {error.message}", hint=error.hint) from None
    if 0 < nanoseconds < MIN_INTERVAL_NS or nanoseconds > _MAX_INTERVAL_NS:
        raise DockerfileError(f'Interval "{name}" cannot be less than 1ms or longer than 292 years')
    return nanoseconds


def _retries(text: str) -> int:
    if not text:
        return 0
    digits = text.removeprefix("-").removeprefix("+")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 10 or int(digits) > _MAX_RETRIES:
        raise DockerfileError(f"--retries: {text[:60]!r} is not a number")
    if text.startswith("-") and int(digits):
        raise DockerfileError(f"--retries cannot be negative ({text[:20]})")
    return int(digits)

"""Build arguments in the global scope: those of the platforms, and ARG before the first FROM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.instructions import ArgInstruction
from pyd_core.dockerfile.platforms import ImagePlatform
from pyd_core.errors import DockerfileError

PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
"""Arguments that need no ARG, in lower case; they reach RUN and leave no trace in the image."""
SCAN_ARGUMENTS = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})
"""Arguments that never become environment variables."""


def platform_arguments(
    build: ImagePlatform, target: ImagePlatform, *, target_stage: str, overrides: Mapping[str, str]
) -> dict[str, str]:
    """Return the arguments that each build has, such as `TARGETPLATFORM`."""
    arguments: dict[str, str] = {}
    for prefix, platform in (("BUILD", build), ("TARGET", target)):
        arguments |= {
            f"{prefix}PLATFORM": str(platform),
            f"{prefix}OS": platform.os,
            f"{prefix}OSVERSION": platform.os_version,
            f"{prefix}ARCH": platform.architecture,
            f"{prefix}VARIANT": platform.variant,
        }
    arguments["TARGETSTAGE"] = target_stage or "default"
    return {name: overrides.get(name, value) for name, value in arguments.items()}


def global_arguments(
    instructions: Sequence[ArgInstruction], initial: Mapping[str, str], values: Mapping[str, str], *, escape: str
) -> dict[str, str]:
    """Return the global arguments after ARG instructions.

    Args:
        instructions: ARG before the first FROM.
        initial: Arguments that each build has.
        values: Arguments of the request, which replace defaults.
        escape: The file's escape character.

    Raises:
        DockerfileError: A default can't be expanded.
    """
    arguments = dict(initial)
    for instruction in instructions:
        for declaration in instruction.declarations:
            value = values.get(declaration.name)
            if value is None and declaration.default is not None:
                try:
                    value = expand(declaration.default, arguments, ExpansionRules(escape=escape)).text
                except DockerfileError as error:
                    raise DockerfileError(
                        error.message, line=instruction.span.start, end_line=instruction.span.end, hint=error.hint
                    ) from None
            if value is not None:
                arguments[declaration.name] = value
    return arguments


def proxy_values(values: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy settings among arguments, by their names in lower case."""
    return {name.lower(): value for name, value in sorted(values.items()) if name.lower() in PROXIES}

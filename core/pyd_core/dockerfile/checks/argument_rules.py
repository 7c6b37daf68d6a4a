"""Rules about ARG and ENV: secrets, and arguments in FROM."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pyd_core.dockerfile.checks.book import BOOK, Remark
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.instructions import ArgInstruction, EnvInstruction
from pyd_core.dockerfile.platforms import host_platform
from pyd_core.dockerfile.suggestions import nearest_word
from pyd_core.errors import DockerfileError, InvalidInput
from pyd_core.model import reference as references

PLATFORM_ARGUMENTS = tuple(
    f"{prefix}{name}" for prefix in ("BUILD", "TARGET") for name in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
)
_SECRET = re.compile(r"(?i)(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)")
_PUBLIC = re.compile(r"(?i)(?:_|^)public(?:_|$)")


@BOOK.rule("SecretsUsedInArgOrEnv", "Sensitive data should not be used in the ARG or ENV commands")
def secrets_in_arg_or_env(case: CheckCase) -> Iterator[Remark]:
    """Find names that suggest secrets."""
    for _, instruction in case.instructions():
        if isinstance(instruction, EnvInstruction):
            names = [pair.name for pair in instruction.pairs]
        elif isinstance(instruction, ArgInstruction):
            names = [item.name for item in instruction.declarations]
        else:
            continue
        for name in names:
            if _SECRET.search(name) and not _PUBLIC.search(name):
                yield Remark(
                    span=instruction.span, hint="RUN --mount=type=secret,id=…",
                    message=f'Do not use ARG or ENV instructions for sensitive data ({instruction.node.word} "{name}")',
                )  # fmt: skip


@BOOK.rule("UndefinedArgInFrom", "FROM command must use declared ARGs")
def undefined_arg_in_from(case: CheckCase) -> Iterator[Remark]:
    """Find variables in FROM that no ARG declares."""
    declared = {item.name for argument in case.dockerfile.global_arguments for item in argument.declarations}
    known = declared | {*PLATFORM_ARGUMENTS, "TARGETSTAGE"}
    for stage in case.stages:
        for text in (stage.start.base, stage.start.platform):
            for name in sorted(_unset(text, case.tree.directives.escape) - known):
                nearest = nearest_word(name, known)
                yield Remark(
                    span=stage.start.span, hint=f"ARG {name} before the first FROM",
                    message=f"FROM argument '{name}' is not declared"
                    + (f" (did you mean {nearest}?)" if nearest else ""),
                )  # fmt: skip


def _unset(text: str, escape: str) -> set[str]:
    try:
        return set(expand(text, {}, ExpansionRules(escape=escape)).unmatched)
    except DockerfileError:
        return set()


@BOOK.rule("InvalidDefaultArgInFrom", "Default value for global ARG results in an empty or invalid base image name")
def invalid_default_arg_in_from(case: CheckCase) -> Iterator[Remark]:
    """Find bases that aren't valid unless the client sends arguments."""
    rules = ExpansionRules(escape=case.tree.directives.escape)
    defaults = default_arguments(case, rules)
    for stage in case.stages:
        try:
            base = expand(stage.start.base, defaults, rules).text
            references.parse(base)
        except InvalidInput:
            base = ""
        if not base:
            message = f"Default value for ARG {stage.start.base} results in empty or invalid base image name"
            yield Remark(span=stage.start.span, message=message, hint="ARG NAME=VALUE before the first FROM")


def default_arguments(case: CheckCase, rules: ExpansionRules) -> Mapping[str, str]:
    """Return the global arguments that have defaults, and those of the platforms."""
    platform = host_platform()
    values = {
        name: {"PLATFORM": str(platform), "OS": platform.os, "ARCH": platform.architecture}.get(
            name.removeprefix("BUILD").removeprefix("TARGET"), ""
        )
        for name in PLATFORM_ARGUMENTS
    }
    for argument in case.dockerfile.global_arguments:
        for item in argument.declarations:
            if item.default is None:
                continue
            try:
                values[item.name] = expand(item.default, values, rules).text
            except DockerfileError:
                continue
    return values

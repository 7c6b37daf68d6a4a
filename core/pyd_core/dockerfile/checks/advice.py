"""Advice: pinned bases, users, order, ignore files, package lists, unused stages, health checks, ADD."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from pyd_core.dockerfile.checks.book import BOOK, Remark
from pyd_core.dockerfile.checks.case import CheckCase
from pyd_core.dockerfile.checks.finding import Fix
from pyd_core.dockerfile.checks.line_edits import replace_keyword
from pyd_core.dockerfile.instructions import (
    AddInstruction,
    CopyInstruction,
    ExposeInstruction,
    HealthcheckInstruction,
    RunInstruction,
    Stage,
    TransferInstruction,
    UserInstruction,
)
from pyd_core.dockerfile.tree import InstructionNode

_ARCHIVE = re.compile(r"\.(?:tar|tgz|tbz2?|txz|tar\.\w+|gz|bz2|xz|zst)$|\.git(?:[?#].*)?$", re.IGNORECASE)
_PLAIN_FILE = re.compile(
    r"\.(?:txt|json|ya?ml|toml|ini|cfg|conf|sh|py|js|ts|rb|go|rs|c|h|java|html|css|md|lock|sql|pem|crt)$"
)
_INSTALL = re.compile(
    r"\b(?:npm (?:ci|install|i)|yarn(?: install)?|pnpm (?:install|i)|pip3? install\s+(?:-\S+\s+)*-r|poetry install"
    r"|uv (?:sync|pip install\s+-r)|bundle install|composer install|go mod download|cargo (?:build|fetch)"
    r"|mvn \S*(?:package|install|go-offline)|gradle \S*build|dotnet restore)\b"
)
_APT_UPDATE = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*update\b")
_APT_INSTALL = re.compile(r"\bapt(?:-get)?\s+(?:-\S+\s+)*install\b")
_APK_ADD = re.compile(r"\bapk\s+(?:-\S+\s+)*add\b")
_DNF_INSTALL = re.compile(r"\b(?:dnf|yum|microdnf)\s+(?:-\S+\s+)*install\b")
MAX_COMMAND_LENGTH = 8192
"""Limit for the part of a command that patterns are looked for in."""
_APT_CLEANUP = " && rm -rf /var/lib/apt/lists/*"
_ROOT_USERS = frozenset({"", "root", "0", "0:0", "root:root"})


@BOOK.rule("UnpinnedBase", "A base image without tag, or with the tag latest, changes under a build", severity="advice")
def unpinned_base(case: CheckCase) -> Iterator[Remark]:
    """Find bases without tag or digest."""
    for stage in case.stages:
        base = stage.start.base
        if case.base_of(stage) is not None or base == "scratch" or "$" in base or "@" in base:
            continue
        tag = base.rpartition("/")[2].partition(":")[2]
        if tag in {"", "latest"}:
            problem = "has no tag" if not tag else "has the tag latest"
            yield Remark(
                span=stage.start.span, message=f"Base image {base} {problem}, so that builds differ from day to day",
                hint=f"FROM {base.partition(':')[0] if not tag else base.rpartition(':')[0]}:VERSION, or a digest",
            )  # fmt: skip


@BOOK.rule("RunsAsRoot", "A process that runs as root in a container is root for the kernel too", severity="advice")
def runs_as_root(case: CheckCase) -> Iterator[Remark]:
    """Find an image without another user than root."""
    stage = case.target_stage
    chain = case.chain(stage)
    users = [item for link in chain for item in link.instructions if isinstance(item, UserInstruction)]
    facts = case.bases.get(chain[0].index)
    if users:
        if users[-1].user.strip("'\"") in _ROOT_USERS:
            yield Remark(
                span=users[-1].span, message=f"The image runs as {users[-1].user}", hint="USER with a user of its own"
            )
        return
    if facts is not None and facts.user not in _ROOT_USERS:
        return
    if re.search(r"(?:^|[:/-])(?:nonroot|rootless|unprivileged)\b", chain[0].start.base):
        return
    if _starts_something(stage):
        message = "The image runs as root: no USER is set"
        yield Remark(span=stage.start.span, message=message, hint="RUN adduser …, then USER NAME")


def _starts_something(stage: Stage) -> bool:
    return any(item.node.word in {"CMD", "ENTRYPOINT", "RUN", "COPY", "ADD"} for item in stage.instructions)


@BOOK.rule(
    "CopyBeforeInstall", "Copying all sources before dependencies are installed spoils the cache", severity="advice"
)
def copy_before_install(case: CheckCase) -> Iterator[Remark]:
    """Find `COPY . .` above the command that installs dependencies."""
    for stage in case.stages:
        copied: TransferInstruction | None = None
        for instruction in stage.instructions:
            if isinstance(instruction, TransferInstruction) and _copies_everything(instruction):
                copied = copied or instruction
            elif isinstance(instruction, RunInstruction) and copied is not None:
                match = _INSTALL.search(_command_text(instruction))
                if match:
                    yield Remark(
                        span=copied.span,
                        message=f"Each change of a source file runs `{match[0]}` (line {instruction.span.start}) again",
                        hint="copy the files that list dependencies first, install, then copy the rest",
                    )
                    break


def _copies_everything(instruction: TransferInstruction) -> bool:
    is_context = not isinstance(instruction, CopyInstruction) or not instruction.stage
    return is_context and any(posixpath.normpath(path) in {".", "/"} for path in instruction.sources)


@BOOK.rule("MissingDockerignore", "Without .dockerignore all files of the context are sent", severity="advice")
def missing_dockerignore(case: CheckCase) -> Iterator[Remark]:
    """Find `COPY . .` in a context without ignore file."""
    if case.has_ignore_file is not False:
        return
    for _, instruction in case.instructions():
        if isinstance(instruction, TransferInstruction) and _copies_everything(instruction):
            yield Remark(
                span=instruction.span, hint="list .git, build results and secrets in .dockerignore",
                message="The context has no .dockerignore, and this copies everything in it",
            )  # fmt: skip
            return


@BOOK.rule("PackageListsLeft", "Package lists and caches in a layer make the image larger", severity="advice")
def package_lists_left(case: CheckCase) -> Iterator[Remark]:
    """Find package managers whose lists or caches stay in the layer."""
    for _, instruction in case.instructions():
        if not isinstance(instruction, RunInstruction):
            continue
        text = _command_text(instruction)
        cached = {mount.kind for mount in instruction.mounts} & {"cache", "tmpfs"}
        if cached:
            continue
        if _APT_UPDATE.search(text) and _APT_INSTALL.search(text) and "/var/lib/apt/lists" not in text:
            yield Remark(
                span=instruction.span, message="apt's package lists stay in the layer",
                hint="&& rm -rf /var/lib/apt/lists/* in the same RUN", fix=_clean_fix(case, instruction),
            )  # fmt: skip
        elif _APK_ADD.search(text) and "--no-cache" not in text and "/var/cache/apk" not in text:
            yield Remark(span=instruction.span, message="apk's index stays in the layer", hint="apk add --no-cache")
        elif _DNF_INSTALL.search(text) and not re.search(r"\b(?:dnf|yum|microdnf)\s+clean\b|/var/cache", text):
            yield Remark(
                span=instruction.span, message="The package manager's cache stays in the layer",
                hint="&& dnf clean all in the same RUN",
            )  # fmt: skip


def _command_text(instruction: RunInstruction) -> str:
    return " ".join((*instruction.command, *(document.content for document in instruction.heredocs)))[
        :MAX_COMMAND_LENGTH
    ]


def _clean_fix(case: CheckCase, instruction: RunInstruction) -> Fix | None:
    """Return a fix that adds the removal, for a plain chain of commands joined by `&&`."""
    text = " ".join(instruction.command)
    if not instruction.uses_shell or instruction.heredocs or re.search(r"[;|#'\"()`]|(?<!&)&(?!&)", text):
        return None
    lines = case.tree.lines[instruction.span.start - 1 : instruction.span.end]
    return Fix(instruction.span, (*lines[:-1], f"{lines[-1].rstrip()}{_APT_CLEANUP}"))


@BOOK.rule("UnusedStage", "A stage that nothing uses is never built", severity="advice")
def unused_stage(case: CheckCase) -> Iterator[Remark]:
    """Find stages that no other stage uses and that aren't the last."""
    used = _used_stages(case)
    for stage in case.stages[:-1]:
        if stage.index not in used and stage is not case.target_stage:
            name = stage.name or f"number {stage.index}"
            message = f"Stage {name} is used by no other, so that only --target builds it"
            yield Remark(span=stage.start.span, message=message)


def _used_stages(case: CheckCase) -> set[int]:
    used: set[int] = set()
    by_name = {stage.name: stage.index for stage in case.stages if stage.name}
    for stage in case.stages:
        base = case.base_of(stage)
        names = []
        if base is not None:
            used.add(base.index)
        for instruction in stage.instructions:
            if isinstance(instruction, CopyInstruction):
                names.append(instruction.stage)
            elif isinstance(instruction, RunInstruction):
                names += [mount.stage for mount in instruction.mounts]
        for name in names:
            if name.lower() in by_name:
                used.add(by_name[name.lower()])
            elif name.isascii() and name.isdecimal() and len(name) < 6:
                used.add(int(name))
    return used


@BOOK.rule("NoHealthcheck", "Without HEALTHCHECK an engine can't see that a service hangs", severity="advice")
def no_healthcheck(case: CheckCase) -> Iterator[Remark]:
    """Find a service without health check: an image that exposes ports."""
    chain = case.chain(case.target_stage)
    instructions = [item for link in chain for item in link.instructions]
    facts = case.bases.get(chain[0].index)
    if facts is not None and facts.has_healthcheck:
        return
    exposed = [item for item in instructions if isinstance(item, ExposeInstruction)]
    if exposed and not any(isinstance(item, HealthcheckInstruction) for item in instructions):
        yield Remark(
            span=exposed[-1].span, message="The image exposes a port and has no HEALTHCHECK",
            hint="HEALTHCHECK CMD …, or HEALTHCHECK NONE if an orchestrator probes it",
        )  # fmt: skip


@BOOK.rule("AddInsteadOfCopy", "ADD unpacks archives and downloads; COPY does what it says", severity="advice")
def add_instead_of_copy(case: CheckCase) -> Iterator[Remark]:
    """Find ADD with nothing to unpack or download."""
    for _, instruction in case.instructions():
        if not isinstance(instruction, AddInstruction) or not instruction.sources:
            continue
        if any(
            "://" in path or path.startswith("git@") or "$" in path or _ARCHIVE.search(path) or "*" in path
            for path in instruction.sources
        ):
            continue
        yield Remark(
            span=instruction.span, message="ADD copies local files: COPY will do", hint="write COPY",
            fix=_copy_fix(case, instruction.node, instruction.sources),
        )  # fmt: skip


def _copy_fix(case: CheckCase, node: InstructionNode, sources: tuple[str, ...]) -> Fix | None:
    """Return a fix for files that can't be archives, and directories, whose archives ADD doesn't unpack."""
    if any(not (path.endswith(("/", ".")) or _PLAIN_FILE.search(path)) for path in sources):
        return None
    if any(flag.startswith(("--checksum", "--keep-git-dir", "--unpack")) for flag in node.flags):
        return None
    return replace_keyword(case.tree, node, "COPY" if node.keyword.isupper() else "copy")

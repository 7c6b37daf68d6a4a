"""COPY and ADD: files of the context, other stages, URLs, git repositories and here-documents."""

from __future__ import annotations

import posixpath
import re
import uuid
from urllib.parse import urlsplit

from pyd_core.buildkit.frontend.git_sources import git_output
from pyd_core.buildkit.frontend.naming import expanded_name, step_name
from pyd_core.buildkit.frontend.scope import CompileScope
from pyd_core.buildkit.frontend.stage_node import StageNode, StageStep
from pyd_core.buildkit.llb.files import NO_TIME, FileOpBuilder, destination_path, owner_option, source_path
from pyd_core.buildkit.llb.merging import merge
from pyd_core.buildkit.llb.sources import http_source
from pyd_core.buildkit.llb.vertex import VertexOutput, describe
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.file_modes import is_symbolic_mode
from pyd_core.dockerfile.git_references import GitReference, parse_git_reference
from pyd_core.dockerfile.instructions import AddInstruction, CopyInstruction, TransferInstruction
from pyd_core.errors import DockerfileError, InvalidInput

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_WILDCARD = re.compile(r"(?<!\\)(?:\\\\)*[*?\[]")


def apply_transfer(scope: CompileScope, node: StageNode, step: StageStep) -> None:
    """Compile a COPY or ADD instruction.

    Raises:
        DockerfileError: An option or a source is not allowed.
    """
    if not isinstance(step.instruction, TransferInstruction):
        raise TypeError(type(step.instruction).__name__)
    _Transfer(scope, node, step, step.instruction).apply()


class _Transfer:
    def __init__(self, scope: CompileScope, node: StageNode, step: StageStep, instruction: TransferInstruction) -> None:
        self._scope = scope
        self._node = node
        self._step = step
        self._instruction = instruction
        self._chown = self._expand(instruction.chown)
        self._mode, self._mode_text = _mode(self._expand(instruction.chmod))
        self._excludes = [self._expand(text) for text in instruction.excludes]
        self._checksum = self._expand(instruction.checksum) if isinstance(instruction, AddInstruction) else ""
        self._sources = [self._expand(text) for text in instruction.sources]
        self._destination = self._expand(instruction.destination)
        self._is_linked = instruction.link and not instruction.chmod

    def _expand(self, text: str) -> str:
        return self._node.expand(text, self._scope.escape)

    def apply(self) -> None:
        node, scope, instruction = self._node, self._scope, self._instruction
        source = self._source()
        self._check_checksum()
        text = expanded_name(node, instruction.source, scope.escape)
        name = step_name(node, text, with_platform=scope.shows_platform, is_trigger=self._step.is_trigger)
        files = FileOpBuilder(None if self._is_linked else node.output)
        for path in self._sources:
            self._add_source(files, source, path, name)
        for document in instruction.documents:
            data = document.data
            self._copy(
                files, self._document(document.name, node.expand_document(data) if document.is_expanded else data),
                ops_pb2.FileActionCopy(src=source_path(document.name)),
            )  # fmt: skip
        lines = scope.lines(instruction)
        metadata = describe(name, command=instruction.source, ignore_cache=node.ignores_cache)
        if self._is_linked:
            metadata.progress_group.CopyFrom(ops_pb2.ProgressGroup(id=uuid.uuid4().hex, name=name, weak=True))
            layer = files.build(metadata=metadata, lines=lines).output
            link_name = step_name(
                node, f"LINK {text}", with_platform=scope.shows_platform, is_trigger=self._step.is_trigger, count=False
            )
            linked = describe(link_name, command=instruction.source, ignore_cache=node.ignores_cache)
            linked.progress_group.CopyFrom(metadata.progress_group)
            linked.progress_group.weak = False
            node.output = merge((node.output, layer), metadata=linked, lines=lines)
        else:
            node.output = files.build(metadata=metadata, lines=lines).output
        node.image.record(self._history(), epoch_s=scope.options.epoch_s, has_layer=True)

    def _source(self) -> VertexOutput | None:
        """Return the file system to copy from, and note which of its paths are used."""
        paths = {posixpath.normpath(posixpath.join("/", path)) for path in self._sources if not _is_remote(path)}
        stage = self._step.sources[0] if self._step.sources else None
        if stage is None:
            self._node.context_paths |= paths
            return self._scope.context
        if not stage.is_dispatched:
            shown = getattr(self._instruction, "stage", "")
            raise DockerfileError(
                f'cannot copy from stage "{shown[:120]}", it needs to be defined before current stage '
                f'"{self._node.shown_name}"'
            )
        stage.paths |= paths
        return stage.output

    def _check_checksum(self) -> None:
        if not self._checksum:
            return
        if len(self._sources) != 1 or self._instruction.documents:
            raise DockerfileError("checksum can't be specified for multiple sources")
        if not _is_remote(self._sources[0]):
            raise DockerfileError("checksum requires HTTP(S) or Git sources")

    def _add_source(self, files: FileOpBuilder, source: VertexOutput | None, path: str, name: str) -> None:
        try:
            repository = parse_git_reference(path)
        except InvalidInput as error:
            raise DockerfileError(error.message, hint=error.hint) from None
        if repository is not None and not repository.looks_local:
            self._add_repository(files, repository, name)
        elif path.startswith(("http://", "https://")):
            self._add_url(files, path, name)
        else:
            self._add_path(files, source, path)

    def _add_repository(self, files: FileOpBuilder, repository: GitReference, name: str) -> None:
        instruction = self._instruction
        if not isinstance(instruction, AddInstruction):
            raise DockerfileError("source can't be a git ref for COPY", hint="ADD can")
        keep = instruction.keep_git_dir
        if None not in (keep, repository.keep_git_directory) and keep != repository.keep_git_directory:
            raise DockerfileError("inconsistent keep-git-dir configuration")
        if self._checksum and repository.checksum not in {"", self._checksum}:
            raise DockerfileError(f'checksum mismatch "{self._checksum[:80]}" != "{repository.checksum[:80]}"')
        output = git_output(
            repository, keep_git_directory=bool(keep or repository.keep_git_directory),
            checksum=self._checksum or repository.checksum, metadata=describe(name),
            lines=self._scope.lines(instruction),
        )  # fmt: skip
        self._copy(files, output, ops_pb2.FileActionCopy(src="/"))

    def _add_url(self, files: FileOpBuilder, url: str, name: str) -> None:
        instruction = self._instruction
        if not isinstance(instruction, AddInstruction):
            raise DockerfileError("source can't be a URL for COPY", hint="ADD can")
        if self._checksum and not _DIGEST.fullmatch(self._checksum):
            raise DockerfileError(
                f"invalid checksum digest format: {self._checksum[:100]}", hint="sha256: and 64 hexadecimal digits"
            )
        try:
            filename = posixpath.basename(urlsplit(url).path.rstrip("/")) or "__unnamed__"
        except ValueError:
            filename = "__unnamed__"
        vertex = http_source(
            url, filename=filename, checksum=self._checksum, metadata=describe(name),
            lines=self._scope.lines(instruction),
        )  # fmt: skip
        self._copy(
            files, vertex.output,
            ops_pb2.FileActionCopy(
                src=source_path(filename), attemptUnpackDockerCompatibility=bool(instruction.unpack)
            ),
        )  # fmt: skip

    def _add_path(self, files: FileOpBuilder, source: VertexOutput | None, path: str) -> None:
        instruction = self._instruction
        unpack = isinstance(instruction, AddInstruction) and instruction.unpack is not False
        action = ops_pb2.FileActionCopy(
            src=source_path(path), followSymlink=True, dirCopyContents=True, attemptUnpackDockerCompatibility=unpack,
            allowWildcard=True, allowEmptyWildcard=not (self._scope.is_classic and len(instruction.sources) == 1),
        )  # fmt: skip
        if isinstance(instruction, CopyInstruction) and instruction.parents:
            parent, pivot, pattern = path.partition("/./")
            if not pivot:
                parent, pattern = "/", path
            pattern = source_path(pattern)
            action.src = source_path(parent)
            action.include_patterns.append(pattern.removeprefix("/"))
            if not _WILDCARD.search(parent) and not _WILDCARD.search(pattern):
                action.required_paths.append(source_path(f"{parent}/{pattern}"))
        self._copy(files, source, action)

    def _copy(self, files: FileOpBuilder, source: VertexOutput | None, action: ops_pb2.FileActionCopy) -> None:
        action.dest = destination_path(self._node.directory, self._destination)
        action.mode = self._mode
        action.modeStr = self._mode_text
        action.createDestPath = True
        action.timestamp = self._scope.timestamp_ns
        action.exclude_patterns.extend(self._excludes)
        owner = owner_option(self._chown, files.base_index)
        if owner is not None:
            action.owner.CopyFrom(owner)
        files.copy(source, action)

    def _document(self, name: str, data: str) -> VertexOutput:
        files = FileOpBuilder(None)
        files.mkfile(
            ops_pb2.FileActionMkFile(path=source_path(name), mode=0o644, data=data.encode(), timestamp=NO_TIME)
        )
        return files.build(metadata=describe("[internal] preparing inline document")).output

    def _history(self) -> str:
        instruction = self._instruction
        parts = [instruction.node.word]
        if isinstance(instruction, CopyInstruction) and instruction.parents:
            parts.append("--parents")
        if self._chown:
            parts.append(f"--chown={self._chown}")
        if instruction.chmod:
            parts.append(f"--chmod={self._expand(instruction.chmod)}")
        parts += [*self._sources, *(f"<<{document.name}" for document in instruction.documents), self._destination]
        return f"{' '.join(parts)} # buildkit"


def _is_remote(path: str) -> bool:
    if path.startswith(("http://", "https://")):
        return True
    try:
        repository = parse_git_reference(path)
    except InvalidInput:
        return True
    return repository is not None and not repository.looks_local


def _mode(text: str) -> tuple[int, str]:
    """Return a mode as a number, or -1 and the symbolic mode.

    Raises:
        DockerfileError: It is neither.
    """
    if not text:
        return -1, ""
    if not set(text) - set("01234567") and len(text) <= 12 and int(text, 8) <= 0o7777:
        return int(text, 8), ""
    if text[:1].isdecimal() or not is_symbolic_mode(text):
        raise DockerfileError(
            f"invalid chmod parameter: '{text[:60]}'. it should be octal string and between 0 and 07777",
            hint="--chmod=755 or --chmod=u+x,go=r",
        )
    return -1, text

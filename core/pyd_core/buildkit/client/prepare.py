"""From a build as described to a request: contexts are located, files checked, options translated."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from pyd_core.buildkit.client.definition import BuildDefinition
from pyd_core.buildkit.client.layouts import SCHEME as OCI_LAYOUT
from pyd_core.buildkit.client.layouts import BuildLayouts
from pyd_core.buildkit.client.request import CONTEXT, DOCKERFILE, BuildOutput, BuildRequest
from pyd_core.buildkit.client.upload import UploadService
from pyd_core.buildkit.client.values import (
    ENGINE_EXPORTER,
    environment_arguments,
    format_extra_hosts,
    parse_agents,
    parse_caches,
    parse_output,
    parse_secrets,
)
from pyd_core.cliparse.limits import parse_ulimits
from pyd_core.errors import InvalidInput, NotFound, Unsupported
from pyd_core.model.reference import parse
from pyd_core.sanitise import safe

REMOTE_PREFIXES = ("http://", "https://", "git://", "git@", "github.com/", "ssh://")
"""Beginnings of contexts that the builder fetches."""
DOCKERFILE_NAME = "Dockerfile"
MAX_DOCKERFILE_BYTES = 16 * 2**20
_ARCHIVE_MAGICS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_TAR_MAGIC = slice(257, 262)
_TAR_TYPE = 156
_GZIP = 31
"""The window size with which zlib writes gzip."""


def is_archive(head: bytes) -> bool:
    """Return whether data that starts like this is an archive rather than a Dockerfile."""
    return head.startswith(_ARCHIVE_MAGICS) or head[_TAR_MAGIC] == b"ustar"


class PreparedBuild:
    """A build ready to run; a context manager, since text from standard input is kept in temporary directories.

    Args:
        definition: The build.
        stdin: Standard input, for contexts and Dockerfiles called `-`.
        environment: Variables; by default this process's.
        gateway: The address that `host-gateway` stands for.

    Raises:
        NotFound: A context, Dockerfile or secret doesn't exist.
        InvalidInput: An option can't be read.
        Unsupported: An option isn't supported.
    """

    def __init__(
        self,
        definition: BuildDefinition,
        *,
        stdin: Callable[[], IO[bytes]],
        environment: Mapping[str, str] | None = None,
        gateway: str = "",
    ) -> None:
        self._definition = definition
        self._stdin = stdin
        self._environment = os.environ if environment is None else environment
        self._stack = ExitStack()
        self.uploads = UploadService()
        self.push_tags: tuple[str, ...] = ()
        """Names that the caller pushes once the build is done."""
        self.dockerfile: Path | None = None
        """The Dockerfile, if it is a file of this machine."""
        self._layouts = BuildLayouts()
        self._directories: dict[str, Path] = {}
        self._attributes: dict[str, str] = {}
        try:
            self._add_context()
            self._add_named_contexts()
            self._attributes |= self._options(gateway)
            outputs = self._outputs()
            self._layouts.add_outputs(outputs)
            self.request = BuildRequest(
                attributes=self._attributes,
                directories=self._directories,
                outputs=outputs,
                cache_imports=self._layouts.add_imports(parse_caches(definition.cache_from, "--cache-from")),
                cache_exports=self._layouts.add_exports(parse_caches(definition.cache_to, "--cache-to")),
                layouts=self._layouts.by_id,
                secrets=parse_secrets(definition.secrets, self._environment),
                agents=parse_agents(definition.ssh, self._environment),
                entitlements=self._entitlements(),
            )
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._stack.close()

    def _add_context(self) -> None:
        definition = self._definition
        context = definition.context
        if context == "-":
            if definition.dockerfile == "-":
                raise InvalidInput("context and Dockerfile can't both be read from standard input")
            self._add_piped_context()
            return
        if context.startswith(REMOTE_PREFIXES):
            if definition.dockerfile == "-" or definition.dockerfile_text is not None:
                self._add_dockerfile_text(self._dockerfile_text())
                self._attributes["dockerfilekey"] = DOCKERFILE
            elif definition.dockerfile:
                self._attributes["filename"] = definition.dockerfile
            self._attributes["context"] = context
            return
        root = Path(context)
        if not root.is_dir():
            raise NotFound(
                f"no such directory: {safe(context)}",
                reference="no-such-directory",
                hint="name the context's directory",
            )
        self._directories[CONTEXT] = root
        if definition.dockerfile == "-" or definition.dockerfile_text is not None:
            self._add_dockerfile_text(self._dockerfile_text())
            return
        self._add_dockerfile(_find_dockerfile(root, definition.dockerfile))

    def _add_dockerfile(self, file: Path) -> None:
        if file.stat().st_size > MAX_DOCKERFILE_BYTES:
            raise InvalidInput(f"{safe(str(file))} is too large for a Dockerfile", reference="dockerfile-too-large")
        self.dockerfile = file
        self._directories[DOCKERFILE] = file.parent
        self._attributes["filename"] = file.name

    def _add_dockerfile_text(self, text: bytes) -> None:
        if not text.strip():
            raise InvalidInput("the Dockerfile is empty")
        directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pyd-build-")))
        (directory / DOCKERFILE_NAME).write_bytes(text)
        self._directories[DOCKERFILE] = directory
        self._attributes["filename"] = DOCKERFILE_NAME

    def _dockerfile_text(self) -> bytes:
        if self._definition.dockerfile_text is not None:
            return self._definition.dockerfile_text.encode()
        text = self._stdin().read(MAX_DOCKERFILE_BYTES + 1)
        if len(text) > MAX_DOCKERFILE_BYTES:
            raise InvalidInput("the Dockerfile on standard input is too large", reference="dockerfile-too-large")
        return text

    def _add_piped_context(self) -> None:
        stdin = self._stdin()
        if stdin.isatty():
            raise InvalidInput(
                "can't read a tar archive or Dockerfile from a terminal", hint="pyd build - < Dockerfile"
            )
        head = stdin.read(512)
        if is_archive(head):
            self._attributes["context"] = self.uploads.add(
                lambda: _Rejoined(head, stdin, compress=_has_extended_header(head))
            )
            if self._definition.dockerfile:
                self._attributes["filename"] = self._definition.dockerfile
            return
        text = head + stdin.read(MAX_DOCKERFILE_BYTES)
        if not text.strip():
            raise InvalidInput("the Dockerfile on standard input is empty")
        self._add_dockerfile_text(text)
        self._directories[CONTEXT] = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pyd-build-")))

    def _add_named_contexts(self) -> None:
        for name, value in self._definition.contexts.items():
            if name in {CONTEXT, DOCKERFILE} or not name:
                raise InvalidInput(f"--build-context {safe(name)}: the name is reserved")
            if value.startswith(OCI_LAYOUT):
                self._attributes[f"context:{name}"] = self._layouts.add_context(value)
                continue
            if value.startswith(("docker-image://", *REMOTE_PREFIXES)):
                self._attributes[f"context:{name}"] = value
                continue
            directory = Path(value)
            if not directory.is_dir():
                raise NotFound(
                    f"--build-context {safe(name)}: no such directory: {safe(value)}", reference="no-such-directory"
                )
            self._directories[name] = directory
            self._attributes[f"context:{name}"] = f"local:{name}"

    def _options(self, gateway: str) -> dict[str, str]:
        definition = self._definition
        attributes = {f"build-arg:{name}": value for name, value in environment_arguments(self._environment).items()}
        attributes |= {f"build-arg:{name}": value for name, value in definition.arguments.items()}
        attributes |= {f"label:{name}": value for name, value in definition.labels.items()}
        attributes |= {f"attest:{name}": value for name, value in definition.attestations.items()}
        # as the docker CLI does on an engine: its own images come before a registry's
        attributes["image-resolve-mode"] = "pull" if definition.pull else "local"
        if definition.network in {"host", "none"}:
            attributes["force-network-mode"] = "host" if definition.network == "host" else "none"
        elif definition.network not in {"", "default"}:
            raise Unsupported(
                f"--network {safe(definition.network)}: BuildKit has only default, host and none",
                reference="build-network",
            )
        ulimits = parse_ulimits(definition.ulimits)
        optional = {
            "target": definition.target,
            "platform": ",".join(definition.platforms),
            "no-cache": ",".join(definition.no_cache_filter),
            "add-hosts": format_extra_hosts(definition.extra_hosts, gateway),
            "shm-size": str(definition.shm_size or ""),
            "ulimit": ",".join(f"{item.name}={item.soft}:{item.hard}" for item in ulimits),
            "cgroup-parent": definition.cgroup_parent,
        }
        attributes |= {name: value for name, value in optional.items() if value}
        if definition.no_cache:
            attributes["no-cache"] = ""
        return attributes

    def _outputs(self) -> tuple[BuildOutput, ...]:
        definition = self._definition
        tags = [_full_name(tag) for tag in definition.tags]
        outputs: list[BuildOutput] = []
        pushes = definition.push
        for text in definition.outputs:
            output, push = parse_output(text)
            pushes = pushes or push
            if output is not None:
                outputs.append(output)
        kept = any(output.type == ENGINE_EXPORTER for output in outputs)
        if not kept and (definition.load or pushes or not definition.outputs):
            outputs.append(BuildOutput(type=ENGINE_EXPORTER))
        if pushes and not tags and not any(output.attributes.get("name") for output in outputs):
            raise InvalidInput("an image needs a name to be pushed", hint="add -t NAME")
        named = [self._named(output, tags) for output in outputs]
        if pushes:
            names = [name for output in named for name in output.attributes.get("name", "").split(",") if name]
            self.push_tags = tuple(dict.fromkeys(names))
        if sum(output.destination == "-" for output in named) > 1:
            raise InvalidInput("only one output can go to standard output")
        return tuple(named)

    def _named(self, output: BuildOutput, tags: list[str]) -> BuildOutput:
        attributes = dict(output.attributes)
        if tags and output.type in {ENGINE_EXPORTER, "oci", "docker"} and "name" not in attributes:
            attributes["name"] = ",".join(tags)
        for annotation in self._definition.annotations:
            name, equals, value = annotation.partition("=")
            if not equals:
                raise InvalidInput(f"--annotation {safe(annotation)} can't be read", hint="write NAME=VALUE")
            kind, colon, key = name.rpartition(":")
            attributes[f"annotation-{kind}.{key}" if colon and "." not in kind else f"annotation.{name}"] = value
        return msgspec.structs.replace(output, attributes=attributes)

    def _entitlements(self) -> tuple[str, ...]:
        allowed = list(self._definition.allow)
        if self._definition.network == "host" and "network.host" not in allowed:
            allowed.append("network.host")
        return tuple(allowed)


def _full_name(tag: str) -> str:
    reference = parse(tag)
    if reference.digest:
        raise InvalidInput(f"-t {safe(tag)}: a name with a digest can't be given to an image")
    return f"{reference.repository}:{reference.tag}"


def _find_dockerfile(root: Path, name: str) -> Path:
    candidates = [Path(name), root / name] if name else [root / DOCKERFILE_NAME]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    nearest = sorted(entry.name for entry in root.iterdir() if "dockerfile" in entry.name.lower() and entry.is_file())
    missing = NotFound(
        f"no such Dockerfile: {safe(str(candidates[0]))}",
        nearest=[safe(entry) for entry in nearest[:5]],
        reference="no-such-dockerfile",
    )
    if not nearest:
        missing.hint = "name it with -f"
    raise missing


def _has_extended_header(head: bytes) -> bool:
    """Return whether a tar starts with an extended header (pax, or GNU's long names).

    Builders recognise a tar by its first KiB, in which that header has no end, but gzip by its first bytes.
    """
    return head[_TAR_MAGIC] == b"ustar" and head[_TAR_TYPE : _TAR_TYPE + 1] in {b"x", b"g", b"L", b"K"}


class _Rejoined:
    """Standard input with its first bytes, which were read to see what it is.

    Args:
        head: The first bytes.
        rest: Standard input.
        compress: Whether to compress it all with gzip.
    """

    def __init__(self, head: bytes, rest: IO[bytes], *, compress: bool) -> None:
        self._head = head
        self._rest = rest
        self._compressor = zlib.compressobj(level=1, wbits=_GZIP) if compress else None

    def read(self, size: int = -1) -> bytes:
        """Return data; empty at the end."""
        data = self._read_plain(size)
        if self._compressor is None:
            return data
        while data:
            if packed := self._compressor.compress(data):
                return packed
            data = self._read_plain(size)
        packed, self._compressor = self._compressor.flush(), None
        return packed

    def _read_plain(self, size: int) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._rest.read(size)

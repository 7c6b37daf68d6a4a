"""Build contexts: a directory packed as a tar, without what `.dockerignore` excludes."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pyd_core.dockerfile.ignore import IGNORE_FILE, IgnorePatterns, read_patterns
from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe

EXTERNAL_DOCKERFILE = ".dockerfile.pyd"
"""Name in the context of a Dockerfile from outside it."""


class BuildContext:
    """Directory to build from.

    Args:
        root: The directory.
        dockerfile: Its path; None means `Dockerfile` in the directory.
        content: The Dockerfile's content if it is no file; `dockerfile` is ignored then.

    Raises:
        NotFound: The directory or the Dockerfile is missing.
        InvalidInput: A pattern in the ignore file can't be read.
    """

    def __init__(self, root: Path, dockerfile: str | None = None, content: bytes | None = None) -> None:
        if not root.is_dir():
            raise NotFound(f"no such directory: {safe(str(root))}", reference="no-such-directory")
        self.root = root
        self._extra = content
        self.dockerfile = EXTERNAL_DOCKERFILE
        """Its name in the tar."""
        if content is None:
            file = Path(dockerfile) if dockerfile else root / "Dockerfile"
            if not file.is_file() and dockerfile and (root / dockerfile).is_file():
                file = root / dockerfile
            if not file.is_file():
                raise NotFound(
                    f"no such Dockerfile: {safe(str(file))}", hint="name it with -f", reference="no-such-dockerfile"
                )
            inside = os.path.relpath(os.path.realpath(file), os.path.realpath(root))
            if inside.startswith(".."):
                self._extra = file.read_bytes()
            else:
                self.dockerfile = inside
        self._ignore = IgnorePatterns(self._patterns())

    def _patterns(self) -> list[str]:
        for name in (f"{self.dockerfile}{IGNORE_FILE}", IGNORE_FILE):
            file = self.root / name
            if file.is_file():
                return read_patterns(file.read_bytes())
        return []

    def pack(self, out: IO[bytes]) -> None:
        """Write the tar. All owners are root, as the engine would set them anyway.

        Raises:
            InvalidInput: A file can't be read.
        """
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in self.files():
                self._add(tar, path)
            if self._extra is not None:
                import io  # noqa: PLC0415 - few Dockerfiles come from outside

                entry = tarfile.TarInfo(self.dockerfile)
                entry.size, entry.mode = len(self._extra), 0o644
                tar.addfile(entry, io.BytesIO(self._extra))

    def files(self) -> Iterator[str]:
        """Yield relative paths to send, parents first; the Dockerfile and the ignore file are always included."""
        always = {self.dockerfile, IGNORE_FILE}
        for directory, subdirectories, names in os.walk(self.root):
            subdirectories.sort()
            relative = os.path.relpath(directory, self.root).replace(os.sep, "/")
            prefix = "" if relative == "." else f"{relative}/"
            for name in list(subdirectories):
                path = prefix + name
                if self._ignore.excludes(path):
                    needed = self._ignore.has_exceptions or any(required.startswith(f"{path}/") for required in always)
                    if not needed or (self.root / path).is_symlink():
                        subdirectories.remove(name)
                    continue
                yield path
            for name in sorted(names):
                path = prefix + name
                if path in always or not self._ignore.excludes(path):
                    yield path

    def _add(self, tar: tarfile.TarFile, path: str) -> None:
        source = self.root / path
        try:
            if stat.S_ISSOCK(source.lstat().st_mode):
                return
            entry = tar.gettarinfo(str(source), arcname=path)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            if entry.isreg():
                with source.open("rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)
        except OSError as error:
            raise InvalidInput(f"can't read {safe(str(source))}: {error.strerror}") from error

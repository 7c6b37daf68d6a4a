"""The helper's image: the toolbox and nothing else, built here and imported through the engine's API.

It is named by the toolbox's content, so that it is imported once for each engine.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator

from pyd_core.client.api_client import ApiClient
from pyd_core.client.images import ImagesApi
from pyd_core.client.options import ImportOptions
from pyd_core.debug.helper import TOOLBOX
from pyd_core.errors import NotFound

REPOSITORY = "localhost/pyd-toolbox"
LABEL = "pyd.toolbox"
"""Label of the image: the toolbox's name in the store."""

FORMAT = 1
"""Counts changes in how an image is made from the same toolbox."""

_PIECE = 1 << 20
_DIRECTORIES = ("dev", "proc", "sys", "tmp", "etc", "run")

Progress = Callable[[str, int, int], None]


def image_name(toolbox: str) -> str:
    """Return the image's name for a toolbox of the store."""
    return f"{REPOSITORY}:{FORMAT}-{os.path.basename(toolbox)[:16]}"


def python_command(toolbox: str) -> list[str]:
    """Return the command line of the toolbox's Python in a helper, where `/dev` hides its prefix.

    The loader is called by its own path, with the path of its libraries; started as a program Python would look below
    the prefix.
    """
    loader = next(name for name in sorted(_names(toolbox, "lib64") + _names(toolbox, "lib")) if name.startswith("ld-"))
    directory = "lib64" if loader in _names(toolbox, "lib64") else "lib"
    triplet = next(name for name in _names(toolbox, "lib") if os.path.exists(f"{toolbox}/lib/{name}/libc.so.6"))
    libraries = f"{TOOLBOX}/lib/{triplet}:{TOOLBOX}/lib"
    python = f"{TOOLBOX}/bin/python3"
    return [f"{TOOLBOX}/{directory}/{loader}", "--library-path", libraries, python, "-I", "-S", "-B"]


def _names(toolbox: str, directory: str) -> list[str]:
    try:
        return os.listdir(f"{toolbox}/{directory}")
    except FileNotFoundError:
        return []


async def ensure(session: ApiClient, toolbox: str, progress: Progress) -> str:
    """Return the name of the helper's image on an engine, which is given it first if it hasn't got it."""
    images = ImagesApi(session)
    name = image_name(toolbox)
    try:
        await images.inspect_raw(name)
    except NotFound:
        repository, _, tag = name.rpartition(":")
        change = f"LABEL {LABEL}={os.path.basename(toolbox)}"
        options = ImportOptions(repository=repository, tag=tag, changes=(change,))
        async with images.import_(_archive(toolbox, progress), options) as progress_stream:
            async for _ in progress_stream:
                pass
    return name


async def _archive(toolbox: str, progress: Progress) -> AsyncIterator[bytes]:
    for piece in _pieces(toolbox, progress):
        yield piece


def _pieces(toolbox: str, progress: Progress) -> Iterator[bytes]:
    """Yield the image's one layer as a tar; everything in it is root's."""
    names = sorted(os.path.join(parent, name) for parent, _, files in os.walk(toolbox) for name in ("", *files))
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for directory in _DIRECTORIES:
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if directory == "tmp" else 0o755
            tar.addfile(entry)
        link = tarfile.TarInfo("target")
        link.type, link.linkname = tarfile.SYMTYPE, "/dev/.target"  # which the agent makes
        tar.addfile(link)
        for done, name in enumerate(names):
            tar.add(name, TOOLBOX[1:] + name.removeprefix(toolbox).rstrip("/"), recursive=False, filter=_roots)
            if sink.tell() >= _PIECE:
                progress("sending the toolbox to the engine", done, len(names))
                yield _taken(sink)
    progress("sending the toolbox to the engine", len(names), len(names))
    yield _taken(sink)


def _taken(sink: io.BytesIO) -> bytes:
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data


def _roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry

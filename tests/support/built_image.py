"""The content of an image that an engine built: its files, as all layers make them up, and its configuration."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.docker import environment

IGNORED_CONFIG = {"Image", "Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin"}
"""Fields that engines fill in by themselves."""


@dataclass(frozen=True)
class BuiltImage:
    """An image's content.

    Attributes:
        files: By path: type, mode, owner, content or target, extended attributes; of links, which file they share.
        config: The configuration's `config`, without empty fields.
        history: Of each step its text, and whether it has no layer.
    """

    files: dict[str, tuple[Any, ...]]
    config: dict[str, Any]
    history: list[tuple[str, bool]]


def read_image(host: str, name: str) -> BuiltImage:
    """Save an image and read it."""
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "image.tar"
        subprocess.run(["docker", "save", "-o", archive, name], check=True, env=environment(DOCKER_HOST=host))
        with tarfile.open(archive) as tar:
            manifest = json.loads(_read(tar, "manifest.json"))[0]
            config = json.loads(_read(tar, manifest["Config"]))
            files: dict[str, tuple[Any, ...]] = {}
            for layer in manifest["Layers"]:
                member = tar.extractfile(layer)
                assert member is not None
                with tarfile.open(fileobj=member) as inner:
                    _apply(files, inner)
    settings = {
        key: value for key, value in (config.get("config") or {}).items() if value and key not in IGNORED_CONFIG
    }
    history = [(step.get("created_by", ""), bool(step.get("empty_layer"))) for step in config.get("history") or []]
    return BuiltImage(files, settings, history)


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member is not None
    return member.read()


def _apply(files: dict[str, tuple[Any, ...]], layer: tarfile.TarFile) -> None:
    members = layer.getmembers()
    for member in members:
        directory, _, base = member.name.rstrip("/").rpartition("/")
        if base == ".wh..wh..opq":
            _remove(files, directory, keep_top=True)
        elif base.startswith(".wh."):
            _remove(files, f"{directory}/{base[4:]}".lstrip("/"), keep_top=False)
    links: dict[str, str] = {}
    for member in members:
        path = member.name.rstrip("/").removeprefix("./")
        base = path.rpartition("/")[2]
        if base.startswith(".wh.") or path in {"", "."}:
            continue
        if path in files and files[path][0] == "directory" and not member.isdir():
            _remove(files, path, keep_top=False)
        files[path] = _facts(layer, member, links)


def _facts(layer: tarfile.TarFile, member: tarfile.TarInfo, links: dict[str, str]) -> tuple[Any, ...]:
    target = member.linkname
    if member.islnk():
        source = layer.getmember(member.linkname)
        links[member.name] = member.linkname
        return _facts(layer, source, links)
    owner = (member.uid, member.gid)
    xattrs = tuple(sorted((key, value) for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr")))
    if member.isdir():
        return ("directory", oct(member.mode), owner)
    if member.issym():
        return ("symlink", owner, target)
    if member.isreg():
        content = layer.extractfile(member)
        assert content is not None
        return ("file", oct(member.mode), owner, hashlib.sha256(content.read()).hexdigest()[:16], xattrs)
    return (member.type, oct(member.mode), owner, member.devmajor, member.devminor)


def _remove(files: dict[str, tuple[Any, ...]], path: str, *, keep_top: bool) -> None:
    for other in [known for known in files if known.startswith(f"{path}/") or (known == path and not keep_top)]:
        del files[other]

"""The same build files on pydd and on Docker Engine's BuildKit: the same files, the same configuration."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from builds.cases import CASES, Case, Files
from builds.conftest import Builders, require_buildx
from support.built_image import read_image
from support.docker import Docker, environment

HOST_NAME_CASES = {"run-hosts", "run-environment", "run-etc-hosts", "run-hostname"}
"""Files with the host name, which is made up for each step by Docker Engine's classic builder."""
EMPTY_COMMAND_CASES = {"run-heredoc", "run-heredoc-program"}
"""Docker Engine's classic builder runs a here-document as an empty command, which ours refuses."""


def _write(directory: Path, files: Files, modes: dict[str, int]) -> None:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif isinstance(content, str) and content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(modes.get(name, 0o644))


def _try(engine: Docker, case: Case, directory: Path, base: str, *, protocol: str) -> tuple[str, str]:
    """Build, and return the image's name and what went wrong."""
    if protocol == "1":
        require_buildx()
    tag = engine.name(f"t{protocol}-{case.name.lower()}")
    options = [option.replace("BASE", base) for option in case.options]
    done = subprocess.run(
        ["docker", "build", "-q", "--force-rm", "-t", tag, *options, "."],
        cwd=directory,
        env=environment(DOCKER_HOST=engine.host, DOCKER_BUILDKIT=protocol),
        capture_output=True,
        text=True,
        check=False,
    )
    return tag, done.stderr if done.returncode else ""


def _prepare(case: Case, directory: Path, base: str) -> None:
    _write(directory, case.files, case.modes)
    text = case.dockerfile.replace("BASE", base) if "$BASE" not in case.dockerfile else case.dockerfile
    text = "\n".join(line.replace("BASE", base) if "$BASE" not in line else line for line in text.split("\n"))
    (directory / "Dockerfile").write_text(text, newline="")


def test_there_are_enough_cases_with_names_of_their_own() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_engines_build_the_same_image(builders: Builders, case: Case, tmp_path: Path) -> None:
    _prepare(case, tmp_path, builders.base)
    built = [_try(engine, case, tmp_path, builders.base, protocol="1") for engine in builders]
    assert [error for _, error in built] == ["", ""]
    tags = [tag for tag, _ in built]
    theirs, ours = (read_image(engine.host, tag) for engine, tag in zip(builders, tags, strict=True))
    for engine, tag in zip(builders, tags, strict=True):
        engine("rmi", "-f", tag)
    assert ours.files == theirs.files
    assert ours.config == theirs.config
    assert _plain(ours.history) == _plain(theirs.history)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_classic_builders_build_the_same_image(builders: Builders, case: Case, tmp_path: Path) -> None:
    """An option that Docker Engine's classic builder refuses is refused by ours too."""
    _prepare(case, tmp_path, builders.base)
    built = [_try(engine, case, tmp_path, builders.base, protocol="0") for engine in builders]
    errors = [error for _, error in built]
    if case.name in EMPTY_COMMAND_CASES:
        assert "with a here-document requires BuildKit" in errors[1]
        return
    assert bool(errors[0]) == bool(errors[1]), errors
    if errors[0]:
        return
    theirs, ours = (read_image(engine.host, tag) for engine, (tag, _) in zip(builders, built, strict=True))
    for engine, (tag, _) in zip(builders, built, strict=True):
        engine("rmi", "-f", tag)
    if case.name in HOST_NAME_CASES:
        assert ours.files.keys() == theirs.files.keys()
    else:
        assert ours.files == theirs.files
    assert ours.config == theirs.config
    assert [_nameless(text) for text, _ in ours.history] == [_nameless(text) for text, _ in theirs.history]


def _nameless(text: str) -> str:
    """Return a step without the digest of its files, which each builder computes in its own way."""
    return re.sub(r"(file|dir|multi):[0-9a-f]{64}", "DIGEST", text)


def _plain(history: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return a history without the arguments of ARG and HEALTHCHECK, which versions of BuildKit write differently."""
    return [
        (text.partition(" ")[0] if text.startswith(("ARG ", "HEALTHCHECK ")) else text, is_empty)
        for text, is_empty in history
    ]

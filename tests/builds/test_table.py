"""The same build files on pydd and on Docker Engine's BuildKit: the same files, the same configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builds.cases import CASES, Case, Files
from builds.conftest import Builders
from support.built_image import read_image
from support.docker import Docker, environment


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


def _build(engine: Docker, case: Case, directory: Path, base: str) -> str:
    tag = engine.name(f"t-{case.name.lower()}")
    options = [option.replace("BASE", base) for option in case.options]
    done = subprocess.run(
        ["docker", "build", "-q", "-t", tag, *options, "."],
        cwd=directory,
        env=environment(DOCKER_HOST=engine.host, DOCKER_BUILDKIT="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{engine.host}: {done.stderr}"
    return tag


def test_there_are_enough_cases_with_names_of_their_own() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_engines_build_the_same_image(builders: Builders, case: Case, tmp_path: Path) -> None:
    _write(tmp_path, case.files, case.modes)
    text = case.dockerfile.replace("BASE", builders.base) if "$BASE" not in case.dockerfile else case.dockerfile
    text = "\n".join(line.replace("BASE", builders.base) if "$BASE" not in line else line for line in text.split("\n"))
    (tmp_path / "Dockerfile").write_text(text, newline="")
    tags = [_build(engine, case, tmp_path, builders.base) for engine in builders]
    theirs, ours = (read_image(engine.host, tag) for engine, tag in zip(builders, tags, strict=True))
    for engine, tag in zip(builders, tags, strict=True):
        engine("rmi", "-f", tag)
    assert ours.files == theirs.files
    assert ours.config == theirs.config
    assert _plain(ours.history) == _plain(theirs.history)


def _plain(history: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Return a history without the arguments of ARG and HEALTHCHECK, which versions of BuildKit write differently."""
    return [
        (text.partition(" ")[0] if text.startswith(("ARG ", "HEALTHCHECK ")) else text, is_empty)
        for text, is_empty in history
    ]

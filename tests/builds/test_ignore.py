"""500 generated ignore files: what reaches a build by Docker Engine and its client, and what pyd selects."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from builds.conftest import Builders, require_buildx
from pyd_core.buildkit.client.path_filter import PathFilter
from pyd_core.buildkit.client.walk import DirectoryWalk
from pyd_core.dockerfile.ignore import read_patterns
from pyd_core.errors import InvalidInput

SEED = int(os.environ.get("PYD_FUZZ_SEED", "18"))
CASES = 500
CASES_PER_BUILD = 50
"""Each case is a named context of one build: a build for each would take minutes."""
FILES = (
    "a.txt",
    "b.log",
    "README.md",
    ".git/config",
    ".env",
    "src/main.c",
    "src/a.txt",
    "src/lib/x.c",
    "src/lib/x.log",
    "src/lib/deep/er/file",
    "build/out/x",
    "build/keep.me",
    "tmp/one",
    "x[1].txt",
    "star*name",
    "docs/a/README.md",
)
PARTS = (
    *(
        "a.txt",
        "*.log",
        "*",
        "**",
        "src",
        "lib",
        "build",
        "?.txt",
        "[ab].*",
        "[^a]*",
        "README.md",
        "*.md",
        "deep",
        "x*",
    ),
    *("x*", "out", ".*", "tmp", "main.c", "star\\*name", "x\\[1\\].txt", "docs", "a", "**.log", "er", "k*.me", "*e*"),
)


def generated(seed: int) -> Iterator[str]:
    """Yield ignore files."""
    chance = random.Random(seed)
    for _ in range(CASES):
        lines = []
        for _ in range(chance.randint(1, 6)):
            parts = chance.choices(PARTS, k=chance.choice((1, 1, 1, 2, 2, 3)))
            line = "/".join(parts)
            line = chance.choice(("", "", "", "/", "./")) + line + chance.choice(("", "", "", "/", "/.."))
            line = chance.choice(("", "", "!", "! ")) + line + chance.choice(("", "", " ", "\t"))
            lines.append(line)
        if chance.random() < 0.2:
            lines.insert(chance.randrange(len(lines) + 1), chance.choice(("# comment", "", "  ", " #x")))
        yield chance.choice(("\n", "\n", "\r\n")).join(lines) + chance.choice(("\n", ""))


def listed(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def selected(context: Path, ignore: str) -> set[str]:
    """Return the paths that `pyd build` sends."""
    walk = DirectoryWalk(context, PathFilter((), read_patterns(ignore.encode())))
    return {item.path for item in walk}


def build(host: str, contexts: dict[str, Path], output: Path) -> None:
    """Copy each context into a directory of its name."""
    require_buildx()
    lines = ["FROM scratch", *(f"COPY --from={name} . /{name}/" for name in contexts)]
    options = [option for name, path in contexts.items() for option in ("--build-context", f"{name}={path}")]
    command = ["docker", "-H", host, "buildx", "build", "-q", "-o", f"type=local,dest={output}", *options, "-"]
    subprocess.run(command, input="\n".join(lines).encode(), check=True, capture_output=True)


@pytest.mark.parametrize("first", range(0, CASES, CASES_PER_BUILD))
def test_generated_ignore_files_select_the_same_files(builders: Builders, first: int):
    ignores = list(generated(SEED))[first : first + CASES_PER_BUILD]
    with tempfile.TemporaryDirectory(prefix="pyd-ignore-") as directory:
        contexts: dict[str, Path] = {}
        expected: dict[str, set[str]] = {}
        for number, ignore in enumerate(ignores, first):
            context = Path(directory, f"c{number}")
            for name in FILES:
                file = context / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(name)
            (context / ".dockerignore").write_bytes(ignore.encode())
            try:
                expected[f"c{number}"] = selected(context, ignore)
            except InvalidInput:
                continue  # Docker refuses the file too, see the next test
            contexts[f"c{number}"] = context
        for engine in builders:
            output = Path(directory, f"out-{engine.prefix}-{engine is builders.pydd}")
            build(engine.host, contexts, output)
            different = {
                name: (contexts[name].joinpath(".dockerignore").read_text(), paths ^ listed(output / name))
                for name, paths in expected.items()
                if paths != listed(output / name)
            }
            assert different == {}


@pytest.mark.parametrize("pattern", ["[a", "a\\", "!", "[]a]", "[a-]"])
def test_a_malformed_pattern_is_refused_by_both(builders: Builders, pattern: str, tmp_path: Path):
    with pytest.raises(InvalidInput):
        selected(tmp_path, pattern)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / ".dockerignore").write_text(pattern)
    for engine in builders:
        command = ["docker", "-H", engine.host, "build", "-q", str(tmp_path)]
        assert subprocess.run(command, check=False, capture_output=True).returncode != 0

"""Generated Dockerfiles, variables and definitions: no crash, and errors have lines; for `PYD_FUZZ_MINUTES`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.buildkit.declared_images import DeclaredImages
from pyd_core.buildkit.frontend.compiler import CompiledBuild, DockerfileSource, compile_dockerfile
from pyd_core.buildkit.frontend.options import parse_options
from pyd_core.buildkit.llb.definition import marshal, unmarshal
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.dockerfile.checks.case import read_case
from pyd_core.dockerfile.checks.fixing import fix_findings
from pyd_core.dockerfile.checks.running import CheckOptions, run_checks
from pyd_core.dockerfile.expansion import ExpansionRules, expand
from pyd_core.dockerfile.ignore import IgnorePatterns, read_patterns
from pyd_core.dockerfile.parser import KEYWORDS, parse_dockerfile
from pyd_core.errors import DockerfileError, InvalidInput, PydError

MINUTES = float(os.environ.get("PYD_FUZZ_MINUTES", "0"))
"""Minutes for all tests of this file together; without, each has some hundred examples."""
TESTS = 5
SHORT = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=not MINUTES)

WORDS = (
    *(
        "base",
        "a",
        "AS",
        "as",
        "/x",
        "./y",
        ".",
        "$V",
        "${V:-x}",
        "${V#*/}",
        "${V//a/b}",
        "${",
        "'",
        '"',
        "\\",
        "`",
        "[]",
    ),
    *(
        '["a", "b"]',
        '["a"',
        "--from=a",
        "--from=0",
        "--chown=1:2",
        "--chmod=u+x",
        "--link",
        "--parents",
        "--exclude=*.x",
    ),
    *(
        "--mount=type=cache,target=/c",
        "--mount=type=secret,id=s,env=E",
        "--mount=from=a,target=/m,rw",
        "--network=none",
    ),
    *(
        "--interval=5s",
        "--start-interval=1m",
        "CMD",
        "NONE",
        "<<EOF",
        "<<-'E'",
        "EOF",
        "A=b",
        "A=",
        "=x",
        "80/tcp",
        "1-9",
    ),
    *(
        "https://h/x.tar",
        "git@h:a/b.git#c:d",
        "https://h/r.git?ref=x",
        "sha256:0",
        "--checksum=sha256:1",
        "\u202e",
        "é",
    ),
    *("--platform=linux/arm64", "--platform=$TARGETPLATFORM", "scratch", "SIGTERM", "#", "\t", "--", "--x", "ONBUILD"),
)
BREAKS = ("\n", "\n", "\n", "\\\n", " \\\n\n", "\r\n", "\n# c\n", "\n#escape=`\n", "`\n", "\nEOF\n", "\n\n")
lines = st.builds(
    lambda keyword, words, end: f"{keyword} {' '.join(words)}{end}",
    st.sampled_from((*KEYWORDS, "run", "RUNN", "")),
    st.lists(st.sampled_from(WORDS), max_size=5),
    st.sampled_from(BREAKS),
)
dockerfiles = st.builds(
    lambda head, body: head + "".join(body),
    st.sampled_from(("FROM base\n", "FROM base AS a\nFROM a\n", "# syntax=x\nARG V=1\nFROM base\n", "")),
    st.lists(lines, max_size=8),
)
texts = st.one_of(dockerfiles, st.text(max_size=200), st.binary(max_size=200).map(lambda data: data.decode("latin-1")))


def exhaust(run: Callable[[], None]) -> None:
    """Run a test once, or again until its share of the time is over."""
    end = time.monotonic() + MINUTES * 60 / TESTS
    run()
    while MINUTES and time.monotonic() < end:
        run()


def test_a_dockerfile_is_compiled_or_refused_with_a_line():
    services = DeclaredImages()
    services.images["docker.io/library/base:latest"] = {"Env": ["V=a/b"], "OnBuild": ["RUN t"]}
    options = parse_options({"platform": "linux/amd64", "build-arg:V": "q"}, session="s")

    @SHORT
    @given(texts)
    def run(text: str) -> None:
        content = text.encode("utf-8", "replace")
        source = DockerfileSource(text=content)
        refusal: DockerfileError | None = None
        builds: list[CompiledBuild] = []
        try:
            builds = asyncio.run(compile_dockerfile(source, options=options, services=services))
        except DockerfileError as error:
            refusal = error
        if refusal is not None:
            about_file = any(word in refusal.message for word in ("empty", "binary", "no stages"))
            assert about_file or 0 < refusal.line <= content.count(b"\n") + 1, refusal
            return
        output = unmarshal(builds[0].definition)
        assert marshal(output).SerializeToString(deterministic=True)

    exhaust(run)


def test_checks_and_fixes_keep_a_dockerfile_readable():
    @SHORT
    @given(dockerfiles)
    def run(text: str) -> None:
        content = text.encode("utf-8", "replace")
        try:
            case = read_case(content)
        except DockerfileError:
            return
        options = CheckOptions(experimental=frozenset({"all"}))
        for finding in run_checks(case, options):
            assert 1 <= finding.span.start <= finding.span.end <= len(case.tree.lines)
        fixed, _ = fix_findings(content, case, options)
        assert len(parse_dockerfile(fixed).instructions) == len(case.tree.instructions)

    exhaust(run)


def test_variables_are_expanded_or_refused():
    rules = st.builds(
        ExpansionRules, escape=st.sampled_from("\\`"), keep_quotes=st.booleans(), keep_escapes=st.booleans(),
        ignore_quotes=st.booleans(), keep_unset=st.booleans(),
    )  # fmt: skip
    pieces = st.sampled_from(
        ("$", "${", "}", ":-", ":+", ":?", "#", "##", "%", "/", "//", "V", "x", "*", "?", "\\", "'", '"', " ")
    )

    @SHORT
    @given(st.lists(pieces, max_size=30).map("".join), st.text(max_size=20), rules)
    def run(text: str, value: str, chosen: ExpansionRules) -> None:
        with contextlib.suppress(DockerfileError):
            expansion = expand(text, {"V": value}, chosen)
            assert set(expansion.matched) <= {"V"}

    exhaust(run)


def test_ignore_files_are_read_or_refused():
    pieces = st.sampled_from(
        ("*", "**", "/", "a", "?", "[a]", "[", "\\", "!", "#", " ", "\n", ".", "..", "{", "(", "^", "\r")
    )

    @SHORT
    @given(st.lists(pieces, max_size=30).map("".join), st.lists(st.sampled_from(("a", "b", ".", "x.y")), min_size=1))
    def run(text: str, path: list[str]) -> None:
        with contextlib.suppress(InvalidInput):
            patterns = IgnorePatterns(read_patterns(text.encode()))
            shown = "/".join(path)
            assert bool(patterns.excluding_pattern(shown)) <= patterns.excludes(shown)

    exhaust(run)


def test_definitions_from_strangers_are_decoded_or_refused():
    op = st.builds(
        lambda kind, inputs, data: _op(kind, inputs) or data,
        st.sampled_from(("source", "exec", "file", "merge", "diff", "none", "raw")),
        st.lists(st.integers(-3, 3), max_size=3),
        st.binary(max_size=30),
    )

    @SHORT
    @given(st.lists(op, max_size=6))
    def run(ops: list[bytes]) -> None:
        definition = ops_pb2.Definition()
        getattr(definition, "def").extend(ops)
        with contextlib.suppress(PydError):
            output = unmarshal(definition)
            again = unmarshal(marshal(output))
            assert (again is None) == (output is None)

    exhaust(run)


def _op(kind: str, inputs: list[int]) -> bytes:
    if kind == "raw":
        return b""
    op = ops_pb2.Op(inputs=[ops_pb2.Input(digest=f"sha256:{'a' * 64}", index=number) for number in inputs])
    if kind != "none":
        getattr(op, kind).SetInParent()
    return op.SerializeToString()

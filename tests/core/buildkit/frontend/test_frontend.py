"""The front end as engines run it: loading, syntax directives, platforms, warnings and subrequests."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.buildkit.declared_images import DeclaredImages
from pyd_core.buildkit.frontend.frontend import FrontendOutcome, run_frontend
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.errors import DockerfileError, NotFound, Unsupported


class ServedFiles(DeclaredImages):
    """Services whose sources have the files of a test, by identifier and path."""

    def __init__(self, files: dict[tuple[str, str], bytes]) -> None:
        super().__init__()
        self.files = files
        self.images["docker.io/library/base:latest"] = {}

    async def read_file(
        self, definition: ops_pb2.Definition, path: str, *, max_bytes: int, start_only: bool = False
    ) -> bytes | None:
        op = ops_pb2.Op.FromString(getattr(definition, "def")[0])
        content = self.files.get((op.source.identifier, path))
        return content if content is None or not start_only else content[:max_bytes]


def run(text: str, attributes: dict[str, str] | None = None, **files: bytes) -> FrontendOutcome:
    served = {("local://dockerfile", "Dockerfile"): text.encode()}
    served |= {("local://context", name.replace("_", ".")): content for name, content in files.items()}
    return asyncio.run(
        run_frontend({"platform": "linux/amd64", **(attributes or {})}, ServedFiles(served), session="s")
    )


def local_context(outcome: FrontendOutcome) -> ops_pb2.SourceOp:
    ops = [ops_pb2.Op.FromString(data) for data in getattr(outcome.builds[0].definition, "def")]
    return next(op.source for op in ops if op.source.identifier == "local://context")


def test_ignore_patterns_travel_with_the_context():
    outcome = run("FROM base\nCOPY . /\n", _dockerignore=b"*.key\n!a.key\n")
    attributes = local_context(outcome).attrs
    assert attributes["local.excludepatterns"] == '["*.key","!a.key"]'
    assert "local.followpaths" not in attributes


def test_another_front_end_is_refused_with_its_line():
    with pytest.raises(Unsupported, match=r"Dockerfile:1: the front end 'other/front:1'"):
        run("# syntax=other/front:1\nFROM base\n")
    assert run("# syntax=docker/dockerfile:1.7\nFROM base\n").builds
    with pytest.raises(Unsupported, match="other/arg"):
        run("FROM base\n", {"build-arg:BUILDKIT_SYNTAX": "other/arg"})


def test_a_missing_dockerfile_is_named():
    with pytest.raises(NotFound, match="open Other: no such file"):
        run("FROM base\n", {"filename": "Other"})


def test_each_platform_has_a_build_and_a_configuration():
    outcome = run("FROM base\nARG TARGETARCH\nRUN x\n", {"platform": "linux/amd64,linux/arm64"})
    assert outcome.ref_names == ["linux/amd64", "linux/arm64"]
    config = msgspec.json.decode(outcome.metadata["containerimage.config/linux/arm64"])
    assert config["architecture"] == "arm64"
    platforms = msgspec.json.decode(outcome.metadata["refs.platforms"])["Platforms"]
    assert [entry["ID"] for entry in platforms] == outcome.ref_names


def test_findings_are_warnings_of_the_step_that_loaded_the_file():
    warnings = run("FROM base\nENV a b\n").warnings()
    assert [warning.short.decode() for warning in warnings] == [
        'LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 2)'
    ]
    assert warnings[0].vertex.startswith("sha256:")
    assert warnings[0].ranges[0].start.line == 2


def test_findings_fail_a_build_whose_file_says_so():
    with pytest.raises(DockerfileError, match="lint violation found for rules: LegacyKeyValueFormat"):
        run("# check=error=true\nFROM base\nENV a b\n")


def test_subrequests_describe_and_build_nothing():
    text = "# V the version\nARG V=1\nARG W=2\n# b is it\nFROM base:$V AS b\n"
    text += "RUN --mount=type=secret,id=t,required x\nENV a b\n"
    targets = run(text, {"requestid": "frontend.targets"})
    assert (targets.builds, targets.ref_names) == ([], [])
    assert msgspec.json.decode(targets.metadata["result.json"])["targets"][0]["description"] == "is it"
    outline = msgspec.json.decode(run(text, {"requestid": "frontend.outline"}).metadata["result.json"])
    assert [(item["name"], item["value"], item["description"]) for item in outline["args"]] == [
        ("V", "1", "the version")
    ]
    assert [(item["name"], item["required"]) for item in outline["secrets"]] == [("t", True)]
    lint = run("FROM base\nENV a b\n", {"requestid": "frontend.lint"}).metadata
    assert lint["result.statuscode"] == b"1"
    assert msgspec.json.decode(lint["result.json"])["warnings"][0]["ruleName"] == "LegacyKeyValueFormat"
    broken = run("FROM base\nRUNN\n", {"requestid": "frontend.lint"}).metadata
    assert msgspec.json.decode(broken["result.json"])["buildError"]["location"]["ranges"][0]["start"]["line"] == 2
    with pytest.raises(Unsupported, match=r"frontend\.other"):
        run(text, {"requestid": "frontend.other"})

"""Dockerfiles compiled to LLB: sources, commands, copies, configuration and what isn't needed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from core.buildkit.declared_images import DeclaredImages
from pyd_core.buildkit.frontend.compiler import CompiledBuild
from pyd_core.buildkit.llb.definition import unmarshal
from pyd_core.buildkit.proto import ops_pb2
from pyd_core.errors import DockerfileError

Compile = Callable[..., CompiledBuild]


def ops(build: CompiledBuild) -> list[ops_pb2.Op]:
    return [ops_pb2.Op.FromString(serialized) for serialized in getattr(build.definition, "def")][:-1]


def kinds(build: CompiledBuild) -> list[str]:
    return [op.source.identifier or str(op.WhichOneof("op")) for op in ops(build)]


def config(build: CompiledBuild) -> dict[str, object]:
    document: dict[str, dict[str, object]] = msgspec.json.decode(build.config)
    return document["config"]


def names(build: CompiledBuild) -> set[str]:
    return {metadata.description["llb.customname"] for metadata in build.definition.metadata.values()} - {""}


def test_a_stage_becomes_source_command_and_copy(compile_text: Compile):
    build = compile_text("FROM base\nRUN a\nCOPY x /y/\n")
    assert kinds(build) == [
        f"docker-image://docker.io/library/base:latest@sha256:{'a' * 64}",
        "exec",
        "local://context",
        "file",
    ]
    run = ops(build)[1].exec
    assert list(run.meta.args) == ["/bin/sh", "-c", "a"]
    assert list(run.meta.env) == ["PATH=/bin", "X=y"]
    assert ops(build)[2].source.attrs["local.followpaths"] == '["x"]'
    copy = ops(build)[3].file.actions[0].copy
    assert (copy.src, copy.dest, copy.mode, copy.dirCopyContents) == ("/x", "/y/", -1, True)
    assert {"[1/3] FROM docker.io/library/base:latest@sha256:" + "a" * 64, "[2/3] RUN a", "[3/3] COPY x /y/"} < names(
        build
    )


def test_stages_that_the_target_does_not_need_are_neither_compiled_nor_resolved(
    compile_text: Compile, services: DeclaredImages
):
    text = "FROM gone AS unused\nRUN x\nFROM base AS a\nRUN a\nFROM base AS b\nCOPY --from=a /x /\nFROM a\nRUN never\n"
    build = compile_text(text, {"target": "b"})
    assert kinds(build).count("exec") == 1
    assert services.requests == ["docker.io/library/base:latest"] * 2


def test_the_source_lines_of_each_step_are_in_the_definition(compile_text: Compile):
    build = compile_text("FROM base\n\nRUN a \\\n  b\n")
    ranges = [
        (item.ranges[0].start.line, item.ranges[0].end.line)
        for locations in build.definition.Source.locations.values()
        for item in locations.locations
    ]
    assert sorted(ranges) == [(1, 1), (3, 4)]
    assert build.definition.Source.infos[0].filename == "Dockerfile"


def test_arguments_have_the_scopes_of_the_reference(compile_text: Compile):
    text = "ARG V=1\nARG W=w$V\nFROM base AS a\nRUN one\nARG V\nARG W\nARG D=d$V\nRUN two\nFROM a\nRUN three\n"
    runs = [op.exec.meta for op in ops(compile_text(text, {"build-arg:D": "set"})) if op.HasField("exec")]
    assert [[entry for entry in meta.env if entry[0] in "VWD"] for meta in runs] == [
        [],
        ["V=1", "W=w1", "D=set"],
        ["V=1", "W=w1", "D=set"],
    ]


def test_platform_arguments_are_set(compile_text: Compile):
    text = "FROM --platform=$BUILDPLATFORM base\nARG TARGETARCH\nARG TARGETPLATFORM\nRUN x\n"
    build = compile_text(text, {"platform": "linux/arm64"})
    env = list(next(op.exec.meta.env for op in ops(build) if op.HasField("exec")))
    assert env[-2:] == ["TARGETARCH=arm64", "TARGETPLATFORM=linux/arm64"]
    assert msgspec.json.decode(build.config)["architecture"] == "arm64"


def test_the_configuration_has_what_the_instructions_say(compile_text: Compile):
    build = compile_text(
        'FROM base\nENV A=b C=$X\nLABEL l="m n"\nWORKDIR w\nWORKDIR x\nUSER u\nEXPOSE 80 8000-8001/udp\nVOLUME /v\n'
        'STOPSIGNAL SIGUSR1\nSHELL ["/bin/bash","-c"]\nCMD echo\nENTRYPOINT ["e"]\nONBUILD RUN t\n'
    )
    assert config(build) == {
        "User": "u",
        "ExposedPorts": {"80/tcp": {}, "8000/udp": {}, "8001/udp": {}},
        "Env": ["PATH=/bin", "X=y", "A=b", "C=y"],
        "Entrypoint": ["e"],
        "Cmd": ["/bin/bash", "-c", "echo"],
        "Volumes": {"/v": {}},
        "WorkingDir": "/w/x",
        "Labels": {"l": "m n"},
        "StopSignal": "SIGUSR1",
        "ArgsEscaped": True,
        "OnBuild": ["RUN t"],
        "Shell": ["/bin/bash", "-c"],
    }


def test_an_entry_point_drops_the_command_of_the_base(compile_text: Compile):
    assert "Cmd" not in config(compile_text('FROM base\nENTRYPOINT ["e"]\n'))


def test_the_history_is_written_as_buildkit_does(compile_text: Compile):
    build = compile_text('FROM base\nARG A=1\nRUN r $A\nCOPY --chown=1 x y /z/\nCMD ["a\\tb"]\nEXPOSE 81 80\n')
    history = msgspec.json.decode(build.config)["history"]
    assert [(step["created_by"], step.get("empty_layer", False)) for step in history] == [
        ("ARG A=1", True),
        ("RUN |1 A=1 /bin/sh -c r $A # buildkit", False),
        ("COPY --chown=1 x y /z/ # buildkit", False),
        ('CMD ["a\\tb"]', True),
        ("EXPOSE map[80/tcp:{} 81/tcp:{}]", True),
    ]


def test_the_history_of_a_health_check_is_that_of_buildkit(compile_text: Compile):
    build = compile_text("FROM base\nHEALTHCHECK --interval=5s --retries=2 CMD a || b\n")
    text = msgspec.json.decode(build.config)["history"][0]["created_by"]
    assert text == """HEALTHCHECK &{["CMD-SHELL" "a || b"] "5s" "0s" "0s" "0s" '\\x02'}"""


def test_triggers_of_a_base_image_run_first(compile_text: Compile, services: DeclaredImages):
    services.images["docker.io/library/on:1"] = {"OnBuild": ["COPY --from=base /t /t", "ENV T=1"]}
    build = compile_text("FROM on:1\nRUN x\n")
    assert kinds(build)[-2:] == ["file", "exec"]
    assert "T=1" in ops(build)[-1].exec.meta.env
    assert "OnBuild" not in config(build)


def test_mounts_become_mounts_of_the_command(compile_text: Compile):
    build = compile_text(
        "FROM base AS a\nFROM base\nWORKDIR /w\n"
        "RUN --mount=type=bind,from=a,source=/s,target=t,rw --mount=type=cache,id=c,target=/c,sharing=private "
        "--mount=type=tmpfs,target=/t,size=1m --mount=type=secret,id=q,required --mount=type=ssh x\n"
    )
    run = ops(build)[-1].exec
    shown = [(mount.dest, mount.mountType, mount.readonly, mount.output) for mount in run.mounts]
    assert shown == [
        ("/", ops_pb2.BIND, False, 0),
        ("/c", ops_pb2.CACHE, False, -1),
        ("/t", ops_pb2.TMPFS, False, -1),
        ("/w/t", ops_pb2.BIND, False, -1),
        ("/run/secrets/q", ops_pb2.SECRET, False, 0),
        ("/run/buildkit/ssh_agent.0", ops_pb2.SSH, False, 0),
    ]
    assert run.mounts[3].selector == "/s"
    assert (run.mounts[4].secretOpt.mode, run.mounts[4].secretOpt.optional) == (0o400, False)
    assert "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0" in run.meta.env


def test_a_here_document_with_an_interpreter_is_mounted_and_run(compile_text: Compile):
    script = compile_text("FROM base\nRUN <<EOF\n#!/usr/bin/env python3\nprint()\nEOF\n")
    assert list(ops(script)[-1].exec.meta.args) == ["/bin/sh", "-c", "/dev/pipes/EOF"]
    plain = compile_text("FROM base\nRUN <<EOF\necho\nEOF\n")
    assert list(ops(plain)[-1].exec.meta.args) == ["/bin/sh", "-c", "echo\n"]
    piped = compile_text("FROM base\nRUN cat <<EOF\na\nEOF\n")
    assert list(ops(piped)[-1].exec.meta.args) == ["/bin/sh", "-c", "cat <<EOF\na\nEOF"]


def test_linked_copies_are_merged(compile_text: Compile):
    assert [kind.partition("@")[0] for kind in kinds(compile_text("FROM base\nCOPY --link a /b\n"))] == [
        "docker-image://docker.io/library/base:latest",
        "local://context",
        "file",
        "merge",
    ]


def test_named_contexts_replace_stages_and_images(compile_text: Compile, services: DeclaredImages):
    services.images["docker.io/library/other:2"] = {}
    build = compile_text(
        "FROM base AS s\nRUN x\nFROM gone\nCOPY --from=s /a /\nCOPY --from=dir /b/c /\n",
        {"context:s": "docker-image://other:2", "context:gone": "docker-image://base", "context:dir": "local:d"},
    )
    assert "exec" not in kinds(build)
    local = next(op.source for op in ops(build) if op.source.identifier == "local://d")
    assert local.attrs["local.followpaths"] == '["b/c"]'


def test_add_takes_urls_and_repositories(compile_text: Compile):
    build = compile_text("FROM scratch\nADD https://h/x.tgz https://h/r.git?tag=v1&subdir=d /z/\n")
    sources = {op.source.identifier: dict(op.source.attrs) for op in ops(build) if op.HasField("source")}
    assert sources["https://h/x.tgz"] == {"http.filename": "x.tgz"}
    assert sources["git://h/r.git#refs/tags/v1:d"]["git.fullurl"] == "https://h/r.git"


def test_a_definition_survives_decoding(compile_text: Compile):
    build = compile_text("FROM base\nRUN a\nCOPY --from=base x /\n")
    output = unmarshal(build.definition)
    assert output is not None
    assert output.vertex.op.HasField("file")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("FROM $NONE\n", 1, "should not be blank"),
        ("FROM base:$V\n", 1, "base"),
        ("FROM nosuch\n", 1, "no such image"),
        ("FROM base AS web\nFROM wbe\n", 2, "did you mean web?"),
        ("FROM base\nCOPY --from=5 a b\n", 2, "invalid stage index 5"),
        ("FROM base AS a\nCOPY --from=a x y\n", 2, "circular dependency"),
        ("FROM base AS a\nCOPY --from=b x y\nFROM a AS b\n", 0, "circular dependency"),
        ("FROM base AS a\nCOPY --from=b x y\nFROM base AS b\nFROM a\n", 2, "needs to be defined before"),
        ("FROM base\nCOPY --chmod=999 a b\n", 2, "invalid chmod"),
        ("FROM base\nCOPY https://x/y /\n", 2, "can't be a URL for COPY"),
        ("FROM base\nADD --checksum=sha256:1 a /\n", 2, "checksum requires HTTP(S)"),
        ("FROM base\nSTOPSIGNAL SIGNONE\n", 2, "invalid signal"),
        ("FROM base\nEXPOSE 99999\n", 2, "invalid containerPort"),
        ("FROM base\nEXPOSE 1-65535 1-65535/udp\n", 2, "can expose 70,000 ports"),
        ("FROM base\nRUN --mount=type=cahce,target=/x y\n", 2, "did you mean cache?"),
        ("FROM base\nRUN --mount=type=bind,target=/ y\n", 2, "invalid mount target"),
        ("FROM base\nENV a=${\n", 2, "missing '}'"),
        ("FROM --platform=linus base\n", 1, "unknown operating system"),
    ],
)
def test_an_error_names_its_line(compile_text: Compile, text: str, line: int, message: str):
    with pytest.raises(DockerfileError) as caught:
        compile_text(text)
    assert message in caught.value.message
    assert caught.value.line == line or not line


def test_an_unknown_target_names_the_nearest(compile_text: Compile):
    with pytest.raises(DockerfileError, match=r"did you mean build\?"):
        compile_text("FROM base AS build\n", {"target": "biuld"})

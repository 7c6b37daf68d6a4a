"""Texts of steps, as Docker Engine's classic builder writes them."""

from __future__ import annotations

import pytest

from pyd_core.buildkit.frontend.image import BuiltImageConfig
from pyd_core.buildkit.frontend.options import FrontendOptions
from pyd_core.buildkit.frontend.step_compiler import StepCompiler
from pyd_core.buildkit.llb.sources import LocalOptions, local_source
from pyd_core.daemon.build.classic import history_text
from pyd_core.daemon.build.classic.labels import label_instructions
from pyd_core.dockerfile.instructions import RunInstruction, TransferInstruction
from pyd_core.dockerfile.parser import parse_dockerfile
from pyd_core.dockerfile.platforms import host_platform


def texts(lines: str, *, labels: dict[str, str] | None = None, **arguments: str) -> list[str]:
    """Return the texts of the steps of a Dockerfile."""
    context = local_source("context", LocalOptions()).output
    options = FrontendOptions(build_args=arguments)
    compiler = StepCompiler(parse_dockerfile(lines.encode()), options, context, host_platform())
    compiler.connect()
    shown = []
    for node in compiler.stages:
        if node.base is None:
            compiler.provide(node, BuiltImageConfig(), None)
        compiler.begin(node)
        added = [compiler.step(node, label) for label in label_instructions(labels or {})]
        for step in [*node.steps, *added]:
            compiler.apply(node, step)
            match step.instruction:
                case RunInstruction(command=command):
                    shown.append(history_text.run_text(node, ["/bin/sh", "-c", *command]))
                case TransferInstruction():
                    shown.append(history_text.transfer_text(compiler, node, step.instruction, "abc"))
                case _:
                    shown.append(history_text.configuring_text(compiler, node, step.instruction))
    return shown


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("ENV A=b C='d e'", "/bin/sh -c #(nop)  ENV A=b C=d e"),
        ("EXPOSE 90/udp 80", "/bin/sh -c #(nop)  EXPOSE 80 90/udp"),
        ('CMD ["a", "b"]', '/bin/sh -c #(nop)  CMD ["a" "b"]'),
        ("WORKDIR a", "/bin/sh -c #(nop) WORKDIR /a"),
        ("WORKDIR /", "/bin/sh -c #(nop) WORKDIR /"),
        ("ONBUILD RUN true", "/bin/sh -c #(nop)  ONBUILD RUN true"),
        ('SHELL ["/bin/x"]', "/bin/x #(nop)  SHELL [/bin/x]"),
        ("COPY a b/", "/bin/sh -c #(nop) COPY file:abc in b/ "),
        ('COPY ["a", "/b c/"]', "/bin/sh -c #(nop) COPY file:abc in /b c/ "),
        ("COPY --chown=1:2 a b /c/", "/bin/sh -c #(nop) COPY --chown=1:2 multi:abc in /c/ "),
        ("RUN true", "/bin/sh -c true"),
    ],
)
def test_steps_have_the_words_of_the_classic_builder(line: str, text: str):
    assert texts(f"FROM scratch\n{line}\n") == [text]


def test_commands_name_the_arguments_that_no_variable_hides():
    lines = "FROM scratch\nARG B=2\nARG A\nARG C\nENV C=3\nRUN true\n"
    assert texts(lines, A="1", C="4")[-1] == "|2 A=1 B=2 /bin/sh -c true"


def test_arguments_of_platforms_are_not_known():
    assert texts("FROM scratch\nARG TARGETPLATFORM\nRUN true\n")[-1] == "/bin/sh -c true"


def test_labels_of_a_request_mean_what_they_say():
    labels = {"b": "$HOME 'x' \"y\"", "a": "\\n"}
    assert texts("FROM scratch\n", labels=labels) == [
        "/bin/sh -c #(nop)  LABEL a=\\n",
        "/bin/sh -c #(nop)  LABEL b=$HOME 'x' \"y\"",
    ]


def test_triggers_of_a_base_are_returned_once():
    context = local_source("context", LocalOptions()).output
    tree = parse_dockerfile(b"FROM scratch AS a\nONBUILD RUN true\nFROM a\n")
    compiler = StepCompiler(tree, FrontendOptions(), context, host_platform())
    compiler.connect()
    first, second = compiler.stages
    compiler.provide(first, BuiltImageConfig(), None)
    assert compiler.begin(first) == []
    compiler.apply(first, first.steps[0])
    assert compiler.begin(second) == ["RUN true"]
    assert second.image.config.on_build == []

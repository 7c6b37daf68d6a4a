"""Steps as the history of an image has them, in the words of Docker Engine's classic builder."""

from __future__ import annotations

from pyd_core.buildkit.frontend.image import DEFAULT_SHELL
from pyd_core.buildkit.frontend.stage_node import StageNode
from pyd_core.buildkit.frontend.step_compiler import StepCompiler
from pyd_core.dockerfile.instructions import (
    ExposeInstruction,
    OnbuildInstruction,
    TransferInstruction,
    TypedInstruction,
    WorkdirInstruction,
)


def configuring_text(compiler: StepCompiler, node: StageNode, instruction: TypedInstruction) -> str:
    """Return the text of a step that was applied to its stage and runs nothing; the shell is the one it ends with."""
    if isinstance(instruction, OnbuildInstruction):
        words = f" ONBUILD {instruction.expression}"
    elif isinstance(instruction, ExposeInstruction):  # the order doesn't matter to the cache
        ports = sorted(word for text in instruction.ports for word in compiler.expand_words(node, text))
        words = f" EXPOSE {' '.join(ports)}"
    elif isinstance(instruction, WorkdirInstruction):
        words = f"WORKDIR {node.directory}"
    else:
        words = f" {node.image.history[-1].created_by}"
    return _nothing_run(node, words)


def transfer_text(compiler: StepCompiler, node: StageNode, instruction: TransferInstruction, content: str) -> str:
    """Return the text of a COPY or ADD that was applied: it names the content that was read."""
    owner = node.expand(instruction.chown, compiler.escape)
    flag = f"--chown={owner} " if owner else ""
    kind = "multi" if len(instruction.sources) > 1 else "file"
    destination = node.expand(instruction.destination, compiler.escape)
    return _nothing_run(node, f"{instruction.node.word} {flag}{kind}:{content} in {destination} ")


def run_arguments(node: StageNode) -> list[str]:
    """Return the arguments in the environment and the history of a RUN step, sorted by name."""
    set_by_image = {entry.partition("=")[0] for entry in node.image.config.env}
    values = {name: node.environment[name] for name, _ in node.arguments if name in node.environment}
    return [f"{name}={values[name]}" for name in sorted(values) if name not in set_by_image]


def run_text(node: StageNode, words: list[str]) -> str:
    """Return the text of a RUN step."""
    arguments = run_arguments(node)
    return " ".join([*([f"|{len(arguments)}", *arguments] if arguments else []), *words])


def _nothing_run(node: StageNode, words: str) -> str:
    return f"{' '.join(node.image.config.shell or DEFAULT_SHELL)} #(nop) {words}"

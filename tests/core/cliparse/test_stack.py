from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyd_core.cliparse.stack.reading import read_files
from pyd_core.cliparse.stack.stack import StackFile, read_stack
from pyd_core.errors import InvalidInput, NotFound


def read(tmp_path: Path, *files: str, **environ: str) -> dict[str, Any]:
    paths = [tmp_path / f"{number}.yaml" for number, _ in enumerate(files)]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text)
    return read_files(paths, environ)


def stack(tmp_path: Path, *files: str, **environ: str) -> StackFile:
    return read_stack("shop", read(tmp_path, *files, **environ), tmp_path, environ)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "a"),
        ("${A}", "a"),
        ("$$A", "$A"),
        ("${NONE}", ""),
        ("${NONE:-b}", "b"),
        ("${EMPTY:-b}", "b"),
        ("${EMPTY-b}", ""),
        ("${A:-b}", "a"),
        ("${A:+b}", "b"),
        ("${NONE:+b}", ""),
    ],
)
def test_variables_are_interpolated_as_in_compose(tmp_path: Path, text: str, value: str):
    assert read(tmp_path, f"x-a: '{text}'", A="a", EMPTY="") == {"x-a": value}


@pytest.mark.parametrize("text", ["${NONE:?say which}", "${A", "$"])
def test_missing_required_and_invalid_variables_are_refused(tmp_path: Path, text: str):
    with pytest.raises(InvalidInput):
        read(tmp_path, f"x-a: '{text}'", A="a")


def test_aliases_that_expand_to_gigabytes_are_refused(tmp_path: Path):
    lines = ["x-a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(InvalidInput, match="too large"):
        read(tmp_path, "\n".join(lines))
    with pytest.raises(InvalidInput):
        read(tmp_path, "x-a: &a [*a]")


def test_files_are_merged_in_order(tmp_path: Path):
    both = read(tmp_path, "services: {a: {image: x, ports: [1]}}", "services: {a: {image: y, ports: [2]}, b: {}}")
    assert both == {"services": {"a": {"image": "y", "ports": [1, 2]}, "b": {}}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {a: {imag: x}}", "unknown field: imag"),
        ("services: {a: {build: .}}", "has no image"),
        ("services: {a: {image: x, networks: [n]}}", "not in the file's networks"),
        ("services: {a: {image: x, volumes: ['v:/v']}}", "not in the file's volumes"),
        ("services: {a: {image: x, secrets: [s]}}", "not in the file's secrets"),
        ("services: {a: {image: x, deploy: {mode: global, replicas: 2}}}", "no number of replicas"),
        ("services: {a: {image: x, healthcheck: {interval: soon}}}", "healthcheck.interval"),
        ("services: []", "must be a mapping"),
        ("sevices: {}", "unknown field: sevices"),
        ("- a", "not a Compose file"),
        ("a: b: c", "not YAML"),
    ],
)
def test_errors_name_the_problem(tmp_path: Path, text: str, words: str):
    with pytest.raises(InvalidInput, match=words):
        stack(tmp_path, text)


def test_missing_files(tmp_path: Path):
    with pytest.raises(NotFound):
        read_files([tmp_path / "none.yaml"], {})
    with pytest.raises(NotFound):
        stack(tmp_path, "services: {a: {image: x, configs: [c]}}\nconfigs: {c: {file: none}}")


def test_fields_that_swarms_ignore_cause_warnings(tmp_path: Path):
    stack_file = stack(tmp_path, "services: {a: {image: x, build: ., container_name: y, depends_on: [b]}}")
    assert stack_file.warnings == ["services.a: swarms ignore build, container_name"]
    assert stack_file.networks.keys() == {"shop_default"}

"""The shape of the tree: import circles, class names, and the files that documents name."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = ("core", "tui", "debugimages")
MAX_CIRCLE_MODULES = 5
SHARED_CLASS_NAMES = dict.fromkeys(
    ("Changed", "Clicked"), "a widget's message, named within the widget as Textual does"
)
"""Names that several classes may have, each with the reason."""


def modules() -> dict[str, Path]:
    files = {}
    for root in SOURCE_ROOTS:
        for file in (ROOT / root).rglob("*.py"):
            name = ".".join(file.relative_to(ROOT / root).with_suffix("").parts)
            files[name.removesuffix(".__init__")] = file
    return files


def imports(files: dict[str, Path]) -> dict[str, set[str]]:
    """The modules that each module imports anywhere, in functions and for type checking too."""
    graph: dict[str, set[str]] = {}
    for name, file in files.items():
        imported = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                members = {f"{node.module}.{alias.name}" for alias in node.names}
                imported |= (members & files.keys()) or {node.module}
                if not members <= files.keys():
                    imported.add(node.module)
        graph[name] = (imported & files.keys()) - {name}
    return graph


def circles(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Yield the strongly connected components of more than one module (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(module: str) -> Iterator[set[str]]:
        index[module] = low[module] = len(index)
        stack.append(module)
        for imported in sorted(graph[module]):
            if imported not in index:
                yield from visit(imported)
                low[module] = min(low[module], low[imported])
            elif imported in stack:
                low[module] = min(low[module], index[imported])
        if low[module] == index[module]:
            members = set(stack[stack.index(module) :])
            del stack[stack.index(module) :]
            if len(members) > 1:
                yield members

    sys.setrecursionlimit(10_000)
    for module in sorted(graph):
        if module not in index:
            yield from visit(module)


def test_a_circle_of_imports_is_seen():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert list(circles(graph)) == [{"a", "b", "c"}]


def test_no_import_circle_holds_more_than_five_modules():
    large = [sorted(circle) for circle in circles(imports(modules())) if len(circle) > MAX_CIRCLE_MODULES]
    assert large == [], [f"{len(circle)}: {', '.join(circle)}" for circle in large]


def test_each_class_name_is_used_once():
    definitions = defaultdict(list)
    for name, file in modules().items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                definitions[node.name].append(name)
    shared = {name: where for name, where in definitions.items() if len(where) > 1}
    assert len(SHARED_CLASS_NAMES) <= 10
    assert shared.keys() == SHARED_CLASS_NAMES.keys(), shared


def test_documents_name_files_that_are_there():
    missing = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        if page.name == "CHANGELOG.md":  # it names files of earlier versions
            continue
        for name in re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|md|sh|toml|svg|json))(?:::\w+)?`", page.read_text()):
            bases = (
                *(ROOT, page.parent, ROOT / "tests", ROOT / "core" / "pyd_core", ROOT / "tui" / "pyd_tui"),
                *(ROOT / "core" / "pyd_core" / "daemon", ROOT / "core" / "pyd_core" / "debug", ROOT / "core"),
                *(ROOT / "tui" / "pyd_tui" / "dashboard", ROOT / "tests" / "privileged"),
            )
            if not re.search(r"^/|<|NOUN", name) and not any((base / name).exists() for base in bases):
                missing.append(f"{page.relative_to(ROOT)}: {name}")
        links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
        absent = [link for link in links if not (page.parent / unquote(link)).exists()]
        missing += [f"{page.relative_to(ROOT)}: link to {link}" for link in absent]
    assert not missing, "\n".join(missing)


ACROSS = {
    "core": {
        "client/test_imports.py",
        "client/test_read_only.py",
        "daemon/test_coverage.py",
        "daemon/test_linear.py",
        "daemon/test_parsing.py",
        "debug/inspectors/test_texts.py",
        "debugimages/test_packs.py",
        "dockerfile/test_fuzz.py",
        "model/test_spec.py",
        "model/test_threads.py",
        "test_imports.py",
        "test_linear.py",
        "test_structure.py",
        "triage/test_coverage.py",
        "triage/test_kernel.py",
        "triage/test_words.py",
    },
    "tui": {
        "cli/builds/test_tree.py",
        "cli/test_command_line.py",
        "cli/test_option_structs.py",
        "console/test_render_events_and_stats.py",
        "dashboard/actions/test_object_actions.py",
        "dashboard/input/test_key_names.py",
        "dashboard/input/test_one_meaning.py",
        "dashboard/render/test_secrets.py",
        "dashboard/test_bad_input.py",
        "dashboard/test_dashboard.py",
        "dashboard/test_groups.py",
        "dashboard/test_keys.py",
        "dashboard/test_log_lines.py",
        "dashboard/test_merged.py",
        "dashboard/test_opening.py",
        "dashboard/test_problem_strip.py",
        "dashboard/test_safety.py",
        "dashboard/test_sideways.py",
        "test_features_page.py",
    },
}
"""Unit tests that look at several modules: each of the others is named after the module or package that it tests."""

WITHOUT_UNIT_TESTS = {
    *("pyd_core.demo", "pyd_core.build", "pyd_tui.text", "pyd_debugimages"),
}
"""Packages that other sessions test."""


def test_unit_tests_mirror_the_sources():
    strays = []
    for room, package in (("core", "pyd_core"), ("tui", "pyd_tui")):
        for test in (ROOT / "tests" / room).rglob("test_*.py"):
            name = test.relative_to(ROOT / "tests" / room)
            subject = ROOT / room / package / name.parent / name.stem.removeprefix("test_")
            mirrors = subject.with_suffix(".py").exists() or subject.is_dir()
            if mirrors == (str(name) in ACROSS[room]):
                strays.append(f"{room}/{name}")
    assert not strays, strays


def test_each_package_has_unit_tests_of_its_own():
    without = []
    for room, package in (("core", "pyd_core"), ("tui", "pyd_tui")):
        for directory in sorted((ROOT / room / package).iterdir()):
            name = f"{package}.{directory.name}"
            if (directory / "__init__.py").exists() and name not in WITHOUT_UNIT_TESTS:
                without += [] if list((ROOT / "tests" / room / directory.name).rglob("test_*.py")) else [name]
    assert without == []

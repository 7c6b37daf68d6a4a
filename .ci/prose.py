"""Check the words of the sources and documents: `python .ci/prose.py [--count] [PATH ...]`.

It reports phrases and names that `docs/glossary.md` rules out, constants of time or size without a unit, and docstrings
whose first line doesn't name its subject. `nox -s lint` runs it.
"""

from __future__ import annotations

import argparse
import ast
import collections
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("core", "tui", "debugimages", "tests", "benchmarks", "noxfile.py", ".ci")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs")
EXEMPT = (
    *("docs/glossary.md", ".ci/prose.py", "docs/development/guess-test.md"),
    "tests/tui/dashboard/input/test_key_names.py",
)
"""The glossary lists the words that are out, and so does this file; others quote former names."""

PHRASES = {
    r"\btell(s|ing)? (of|all|how|what|whether|who|why|when|where|which|the|it|them)\b": "report, return, emit or show",
    r"\btold\b": "reported, returned or emitted",
    r"\banew\b": "again",
    r"(?<![\"'`])\brenew(s|ed|ing|al)?\b": "refresh",
    r"\bsomebody\b|\bwhoever\b|\banybody\b|\bnobody\b(?![\"':}-]| \|)": "name the actor: clients, users",
    r"\bhasn't an?\b": "lacks, or has no",
    r"\bbeside (the|it|them|its|what|one|that|others|each)\b": "next to, besides or with",
    r"\bby itself\b": "on its own",
    r"\bstands? on\b": "depends on, or uses",
    r"\bminds?\b (?!map)": "respect, watch",
    r"\btakes? part in\b": "attach to",
    r"\blikewise\b": "say it again, or leave it out",
    r"\bas a rule\b": "usually",
    r"\bis wished\b|\bwishes\b|\bwished\b": "is requested",
    r"\bthe living\b|\bthe dead\b": "running, exited",
    r"\bgoes on\b|\bgo on\b|\bgoing on\b": "continue",
    r"\btrouble\b": "error, problem",
    r"\bof (its|their|his|our|one's) own making\b": "that it creates",
    r"\bnever half of one\b|\bnot at all\b": "say it plainly",
    r"\bhow it went\b|\bhow they went\b": "the outcome",
    r"\bwhat (it|they|he|one) (is|are) told\b": "its input",
    r"\bthere is nothing (more )?to\b": "say what is missing",
}
OPENINGS = re.compile(r"(What|Whether|How|Whose|Which|Who|Where|When|That|If) \b|(It|Its|One|Ones|Makes one|Tells)\b")
"""A docstring begins with its subject: a noun phrase or an imperative."""

NAMES = {
    *("told", "tell", "tells", "telling", "found", "made", "each", "one", "place", "places", "wanted", "over", "at"),
    *("asked", "said", "trouble", "complaint", "anew", "ourselves", "company", "beside", "wished", "folder"),
}
TIMED = re.compile(r"(?:^|_)(TIMEOUT|INTERVAL|DELAY|DEBOUNCE|GRACE|PATIENCE|WAIT|SETTLE|LINGER|CALM|LAG|PERIOD|AGE)S?$")
MOODS = re.compile(
    r"^_?(?!.*_(S|MS|BYTES|LINES)$)((PATIENCE|MOST|LONGEST|SHORTEST|FEWEST|LEAST|LARGEST|SMALLEST|WIDEST|DEEPEST|SETTLE|CALM|SELDOM|URGENT|LINGER)(_.*)?"
    r"|.*_(PATIENCE|MOST|LONGEST|SHORTEST|FEWEST|LEAST)|AT_ONCE|LOOK_AGAIN|TWICE|NEAR|FAR|KEPT|ALIVE|LAG|SLACK|LEAD|TURN)$"
)


def main() -> int:
    """Print each finding, or with `--count` how many there are of each kind, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", action="store_true", help="print the number of findings of each kind")
    parser.add_argument("paths", nargs="*", type=Path, help="files and directories; default: everything")
    options = parser.parse_args()
    findings = sorted(check(options.paths or [ROOT / name for name in (*SOURCES, *PAGES)]))
    if options.count:
        for kind, number in sorted(collections.Counter(kind for _, _, kind, _ in findings).items()):
            sys.stdout.write(f"{number:6} {kind}\n")
    else:
        for path, line, kind, text in findings:
            sys.stdout.write(f"{path}:{line}: {kind}: {text}\n")
    sys.stdout.write(f"{len(findings)} findings\n")
    return 1 if findings else 0


def check(paths: list[Path]) -> Iterator[tuple[str, int, str, str]]:
    """Yield path, line number, kind and text of each finding."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = str(file.resolve().relative_to(ROOT))
            if name in EXEMPT or any(part.startswith(".") and part != ".ci" for part in Path(name).parts):
                continue
            if file.suffix == ".py":
                yield from ((name, *finding) for finding in _source(file.read_text()))
            elif file.suffix == ".md":
                for number, line in enumerate(file.read_text().splitlines(), 1):
                    yield from ((name, number, "phrase", text) for text in _phrases(line))


def _source(text: str) -> Iterator[tuple[int, str, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            for offset, line in enumerate(token.string.splitlines()):
                yield from ((token.start[0] + offset, "phrase", found) for found in _phrases(line))
    tree = ast.parse(text)
    for node in ast.walk(tree):
        yield from _names(node)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring and OPENINGS.match(docstring.lstrip()) and not _is_flag(node, docstring):
                line = node.body[0].lineno
                yield line, "docstring", docstring.strip().splitlines()[0]


def _is_flag(node: ast.AST, docstring: str) -> bool:
    """Return whether a docstring is a property's "Whether …", which is the usual form for a boolean."""
    decorators = getattr(node, "decorator_list", [])
    named = {item.id if isinstance(item, ast.Name) else getattr(item, "attr", "") for item in decorators}
    return docstring.startswith("Whether ") and bool(named & {"property", "cached_property"})


def _phrases(line: str) -> Iterator[str]:
    for phrase, instead in PHRASES.items():
        for match in re.finditer(phrase, line, re.IGNORECASE):
            yield f"{match[0]!r}: write {instead}"


def _names(node: ast.AST) -> Iterator[tuple[int, str, str]]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        name = node.id
    elif isinstance(node, ast.arg):
        name = node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        name = node.name
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        name = node.attr
    else:
        return
    line = getattr(node, "lineno", 1)
    if name == "tell" and isinstance(node, ast.FunctionDef) and len(node.args.args) == 1:
        return  # the method of files
    if name.lstrip("_") in NAMES:
        yield line, "name", name
    elif name.isupper() and MOODS.match(name):
        yield line, "constant", f"{name}: MAX_ or MIN_ in front, what it bounds, and its unit"
    elif name.isupper() and TIMED.search(name):
        yield line, "constant", f"{name}: add the unit (_S, _MS)"


if __name__ == "__main__":
    sys.exit(main())

"""Speed of whole processes compared with a peer in the same run: `nox -s bench -- --only ps,logs --json FILE`."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import site
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ground import ground
from imports import costs
from measure import Skip
from rows import ROWS

if TYPE_CHECKING:
    from row import Row

PARTS = {"fifty", "keys", "deaths", "thousands", "two-hundred"}
"""Rows that are part of `dashboard`, to be measured alone."""

SOURCE = Path(__file__).resolve().parent.parent


def machine() -> dict[str, str | int | float]:
    """Return a description of the machine."""
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "processors": os.cpu_count() or 0,
        "load": round(os.getloadavg()[0], 2),
    }


def compile_all() -> None:
    """Compile all modules, so that none is compiled while it is timed."""
    for directory in (*site.getsitepackages(), *(str(SOURCE / room) for room in ("core", "tui", "debugimages"))):
        compileall.compile_dir(directory, quiet=2)


def show(results: list[Row], skipped: dict[str, str]) -> None:
    """Print the table."""
    line = "{:<42} {:>9} {:<12} {:<20} {:>9} {:>7}  {:<6} {}"
    print(line.format("", "pyd", "", "beside", "", "ratio", "budget", "").rstrip())
    for row in results:
        theirs = "" if row.theirs is None else f"{row.theirs:.1f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        word = {True: "kept", False: "MISSED", None: ""}[row.kept]
        print(line.format(row.name, f"{row.ours:.1f}", row.unit, row.peer, theirs, ratio, word, row.note).rstrip())
    for name, why in skipped.items():
        print(f"{name}: skipped: {why}")


def main() -> None:
    """Measure and print; fail with `--strict` when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help=f"rows to measure, of: {', '.join(ROWS)}, imports")
    parser.add_argument("--rounds", type=int, default=20, help="runs of each program (20)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a budget was missed")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else [*(name for name in ROWS if name not in PARTS), "imports"]
    compile_all()
    results: list[Row] = []
    skipped: dict[str, str] = {}
    with ground(options.rounds) as directory:
        for name in chosen:
            if name == "imports":
                continue
            print(f"measuring {name} ...", file=sys.stderr)
            try:
                results += ROWS[name](directory)
            except (Skip, TimeoutError) as why:
                skipped[name] = str(why)
    show(results, skipped)
    imports = costs(options.rounds) if "imports" in chosen else {}
    if imports:
        print("\nms an import takes: " + "; ".join(f"{name} {ms:.0f}" for name, ms in imports.items()))
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine().items()))
    if options.json:
        document = {
            "machine": machine(),
            "rows": [asdict(row) | {"ratio": row.ratio, "kept": row.kept} for row in results],
            "imports_ms": imports,
            "skipped": skipped,
        }
        Path(options.json).write_text(json.dumps(document, indent=2) + "\n")
    if options.strict and any(row.kept is False for row in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

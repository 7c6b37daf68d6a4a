"""Pictures of a program in a terminal, to be looked at.

    python tests/screenshot.py --wait web --save list.png --keys 'j l' --wait 'line 1' --save logs.png -- pyd

Steps are done in their order: `--wait TEXT` until it is on the screen, `--gone TEXT` until it isn't, `--keys NAMES`
as tmux names them, `--type TEXT`, `--save FILE` as .png, .svg or .txt.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from support.terminal import Terminal


class Step(argparse.Action):
    """Keeps the steps in the order in which they were given."""

    def __call__(self, _: Any, namespace: argparse.Namespace, value: Any, __: str | None = None) -> None:
        """Add one."""
        namespace.steps = [*namespace.steps, (self.dest, value)]


def save(terminal: Terminal, path: Path) -> None:
    """Write what is on the screen in the format the name asks for."""
    if path.suffix == ".png":
        terminal.png(path)
    elif path.suffix == ".svg":
        path.write_text(terminal.svg())
    else:
        path.write_text(terminal.screen)


def main() -> None:
    """Run the program and perform the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(steps=[])
    parser.add_argument("--size", default="120x40", help="columns and lines (120x40)")
    for name in ("wait", "gone", "keys", "type", "save"):
        parser.add_argument(f"--{name}", action=Step, dest=name, default=argparse.SUPPRESS)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    columns, lines = map(int, options.size.split("x"))
    with Terminal(options.program, (columns, lines)) as terminal:
        for name, value in options.steps:
            match name:
                case "wait":
                    terminal.wait_for(value)
                case "gone":
                    terminal.wait_gone(value)
                case "keys":
                    terminal.keys(*value.split())
                case "type":
                    terminal.type(value)
                case "save":
                    save(terminal, Path(value))


if __name__ == "__main__":
    main()

"""Shell lines that start a program (`CMD app --serve`), as far as they can be read without a shell."""

from __future__ import annotations

import re

import msgspec

_ASSIGNMENT = re.compile(r"""([A-Za-z_]\w*)=(?:[^\s'"$`\\;&|<>(){}*?\[\]#!~]|'[^']*'|"[^"$`\\]*")*[ \t]+""")
"""A variable for the command alone, without anything that is to be put in its value's place (POSIX.1, XCU 2.9.1)."""
_PROGRAM = re.compile(r"[\w./+@%:,-]+(?=[\s;&|<>]|$)", re.ASCII)
"""A word that stands for itself: neither quotes nor what is to be put in its place."""
_EXEC = re.compile(r"exec[ \t]+")
_FUNCTION = re.compile(r"[ \t]*\(")
_GOES_ON = re.compile(r"[;|\n]|(?<![<>])&(?!>)")
"""Operators that end a command and start another; `2>&1` does not."""

_WORDS = """
. : alias bg bind break builtin caller case cd command compgen complete continue coproc declare dirs disown do done
echo elif else enable esac eval exit export false fc fg fi for function getopts hash help history if in jobs kill
let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend
test then time times trap true type typeset ulimit umask unalias unset until wait while
"""
_OWN = frozenset(_WORDS.split())
"""Words of the shells themselves: reserved words and builtins of dash, bash and busybox's ash."""


class FirstProgram(msgspec.Struct, frozen=True):
    """The program that a shell starts first.

    Attributes:
        name: The program as it is written.
        alone: Whether the line holds nothing else, with which the shell would continue where this can't be started.
    """

    name: str
    alone: bool


def first_program(line: str) -> FirstProgram | None:
    """Return what a line begins with; None where that is the shell's own, or only a shell could decide."""
    offset = len(line) - len(line.lstrip(" \t"))
    while (assignment := _ASSIGNMENT.match(line, offset)) is not None:
        if assignment[1] == "PATH":
            return None  # it is looked for elsewhere
        offset = assignment.end()
    if (replacing := _EXEC.match(line, offset)) is not None:
        offset = replacing.end()
    word = _PROGRAM.match(line, offset)
    if word is None or word[0].startswith("-") or word[0] in _OWN | {"exec"}:
        return None
    if _FUNCTION.match(line, word.end()) or (word[0].isdecimal() and line.startswith(("<", ">"), word.end())):
        return None  # it defines a function, or sends a descriptor elsewhere
    return FirstProgram(word[0], alone=_GOES_ON.search(line.rstrip(), word.end()) is None)

"""The protocol by which a bash in a target calls the builtins, which run outside of it.

Each builtin is a function in bash, so that it works in loops, in pipes and in `$()`. It writes a request to one pipe.
From another it reads the answer in frames: `o ID SIZE` and `x ID SIZE` with text for stdout and stderr, which
`printf %b` writes, `e ID CODE` at the end, or `p ID 0`, which has the function run the program of that name. The
function asks for each frame. It skips what comes before the head of a frame with its id: a killed call leaves frames,
of which the client may have taken back any part. A lock lets one function at a time use the pipes; it ends with its
process.

All programs of the session inherit the pipes, so requests are untrusted: which ones are answered is up to the client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from pyd_core.debug.toolbox import PREFIX

CALLS = (196, 197)
"""What the functions read answers from and write requests to."""

MAX_REQUEST_BYTES = 1 << 17
MAX_FRAME_BYTES = 12 << 10
"""Bytes of output in a frame. Escaped they are less than a pipe holds, so that writing a frame never waits."""

MAX_ID_DIGITS = 32

NEXT = "next"
"""The function asks for the next frame."""

_ANSWERS, _REQUESTS = CALLS

_ESCAPED = re.compile(rb"[\0\\\x80-\xff]")
"""NUL, which bash can't hold, and the bytes of which bash makes characters in some locales."""

# Bash forgets a ctrl-c that comes while it waits for a program which then ends on its own. So only builtins copy the
# output, and `wait` waits for the lock: it returns immediately. A signal just before `read` blocks is noticed when its
# second is over; what it has of a line by then is kept.
_FUNCTION = rf"""
__pyd_call() (
    {{ builtin set +eux; }} 2>/dev/null
    builtin exec {{lock}}<{PREFIX}/bin/bash || builtin exit 125
    {PREFIX}/bin/flock "$lock" & builtin wait "$!" || builtin exit 125
    name=$1 terminal= id=$SRANDOM$SRANDOM
    builtin shift
    [[ -t 1 ]] && terminal=1
    {{
        builtin printf 'c\0e1\0i%s\0n%s\0t%s\0d%s\0' "$id" "$name" "$terminal" "$PWD"
        (($#)) && builtin printf 'a%s\0' "$@"
        builtin printf '\0'
    }} >&{_REQUESTS}
    while builtin :; do
        head=
        while IFS= builtin read -r -t 1 -u {_ANSWERS} data; code=$?; head+=$data; ((code > 128)); do builtin :; done
        ((code == 0)) || builtin exit 125
        [[ $head == *[oxep]" $id "* ]] || builtin continue
        kind=${{head%" $id "*}} size=${{head##* }}
        kind=${{kind: -1}} data=
        [[ $kind == [ox] ]] && IFS= builtin read -r -N "$size" -u {_ANSWERS} data
        case $kind in
            o) builtin printf %b "$data" || builtin exit ;;
            x) builtin printf %b "$data" >&2 || builtin exit ;;
            e) builtin exit "$size" ;;
            p)
                builtin exec {{lock}}<&-
                builtin command "$name" "$@"
                builtin exit
                ;;
        esac
        builtin printf 'n\0\0' >&{_REQUESTS}
    done
)
builtin readonly -f __pyd_call
"""


def functions(names: Iterable[str]) -> bytes:
    """Return the definitions of the functions in bash."""
    return (_FUNCTION + "".join(f'{name}() {{ __pyd_call {name} "$@"; }}\n' for name in names)).encode()


class BuiltinRequest(msgspec.Struct, frozen=True):
    """A call of a builtin in bash; all of it is untrusted.

    Attributes:
        name: The builtin.
        id: Digits that mark its answer.
        arguments: Its arguments.
        terminal: Whether its output goes to the terminal.
        cwd: The working directory of the caller.
        escaped: Whether the function reads escaped output; those of sessions that older versions left don't.
    """

    name: str
    id: str = ""
    arguments: tuple[str, ...] = ()
    terminal: bool = False
    cwd: str = "/"
    escaped: bool = False


class BuiltinRequests:
    """Splits the pipe's data into requests."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[BuiltinRequest | str]:
        """Return the requests that are complete, in order, and `NEXT`."""
        *complete, self._held = (self._held + data).split(b"\0\0")
        if len(self._held) > MAX_REQUEST_BYTES:
            self._held = b""
        return [request for text in complete if (request := _parse(text)) is not None]


def _parse(text: bytes) -> BuiltinRequest | str | None:
    if text == b"n":
        return NEXT
    kind, *fields = text.split(b"\0")
    if kind != b"c" or len(text) > MAX_REQUEST_BYTES:
        return None
    values = {field[:1]: field[1:].decode(errors="surrogateescape") for field in fields if field[:1] != b"a"}
    cwd, identity = values.get(b"d", ""), values.get(b"i", "")
    return BuiltinRequest(
        name=values.get(b"n", ""),
        id=identity if identity.isascii() and identity.isdigit() and len(identity) <= MAX_ID_DIGITS else "0",
        arguments=tuple(field[1:].decode(errors="surrogateescape") for field in fields if field[:1] == b"a"),
        terminal=bool(values.get(b"t")),
        cwd=cwd if cwd.startswith("/") else "/",
        escaped=bool(values.get(b"e")),
    )


def frame(request: BuiltinRequest, kind: str, data: bytes) -> bytes:
    """Return a frame of output: `o` for stdout, `x` for stderr."""
    if request.escaped:
        data = _ESCAPED.sub(lambda byte: b"\\0%03o" % byte[0][0], data)
    return f"{kind} {request.id} {len(data)}\n".encode() + data


def end_frame(request: BuiltinRequest, code: int) -> bytes:
    """Return the last frame."""
    return f"e {request.id} {code}\n".encode()


def program_frame(request: BuiltinRequest) -> bytes:
    """Return the frame that has the function run the program of the builtin's name."""
    return f"p {request.id} 0\n".encode()

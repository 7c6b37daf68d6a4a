"""The protocol by which a bash in a target gets its lines and reports their end, next to its terminal.

The terminal carries what programs read and print, and nothing of it is ever searched for signs: two pipes carry the
conversation. Bash reads the first line of its terminal, which makes it evaluate `INIT`; from then on each line is one
`TRIGGER` on the terminal (so that it runs at bash's top level, with job control, and not in a loop or a trap), whose
text comes over the pipe, of any length and content. The pipes are closed to what a line starts.

Reports are the target's word, as hostile as all the rest: they say when a prompt is due, and what it shows.
"""

from __future__ import annotations

import msgspec

from pyd_core.debug.toolbox import PREFIX

CHANNEL = (198, 199)
"""What bash reads its lines from and writes its reports to; numbers that users hardly choose."""

CONVERSING = [f"{PREFIX}/bin/bash", "--noprofile", "--norc", "--noediting", "-i"]
"""The bash: start-up files are the container's, and editing is the client's."""

SILENT = {"PS1": "", "PS2": ""}
"""Its environment: it reports nothing before `INIT`, which removes these from its children's environment."""

_IN, _OUT = CHANNEL

FIRST = f' IFS= builtin read -r -d "" -u {_IN} __pyd_line && builtin eval "$__pyd_line"\n'.encode()
"""The first line on the terminal."""

TRIGGER = f'\x15 {{ __pyd_next; }} 2>/dev/null; builtin eval "$__pyd_line" {_IN}<&- {_OUT}>&-\n'.encode()
"""What makes bash ask for a line and run it; first it throws away what may be typed already of that line (VKILL)."""

ACKNOWLEDGED = b"A\0"
"""The answer to a report: bash reads its terminal only then."""

SAME = b"__pyd_same"
"""A line that does nothing but have bash report again."""

# What the user's functions are called can't be known, hence `builtin`. Options that the user sets, such as `set -x`,
# hold in these functions too; their stderr goes nowhere, so that nothing of that shows.
INIT = rf"""
builtin set +o history
builtin declare +x PS1= PS2=
builtin export HISTFILE=
__pyd_code=0
__pyd_next() {{
    builtin local message code=$__pyd_code
    builtin printf 's\0\0' >&{_OUT}
    while IFS= builtin read -r -d '' -u {_IN} message; do
        case $message in L*) __pyd_line=${{message#L}}; builtin return "$code" ;; esac
    done
    builtin exit 1
}}
__pyd_same() {{ builtin return "$__pyd_code"; }}
__pyd_ready() {{
    __pyd_code=$?
    {{
        builtin printf 'r\0c%s\0d%s\0u%s\0h%s\0p%s\0j' "$__pyd_code" "$PWD" "$EUID" "${{HOME-}}" "${{PATH-}}"
        builtin jobs -p
        builtin printf '\0v'; builtin compgen -v
        builtin printf '\0f'; builtin compgen -A function -A alias
        builtin printf '\0\0'
    }} >&{_OUT}
    builtin local message
    while IFS= builtin read -r -d '' -u {_IN} message; do
        [[ $message == A ]] && builtin return
    done
    builtin exit 1
}}
builtin readonly -f __pyd_next __pyd_same __pyd_ready
PROMPT_COMMAND='{{ __pyd_ready; }} 2>/dev/null'
builtin readonly PROMPT_COMMAND
""".encode()

_MAX_REPORT_BYTES = 1 << 18
"""Bytes of a report; what is longer is no report."""


class JoinReport(msgspec.Struct, frozen=True):
    """The report of bash at the end of a line.

    Attributes:
        code: The line's exit code.
        cwd: Its working directory.
        uid: Its effective user id.
        home: `HOME`.
        path: `PATH`.
        jobs: The number of its jobs.
        variables: Names of its variables.
        functions: Names of its functions and aliases.
    """

    code: int = 0
    cwd: str = "/"
    uid: int = 0
    home: str = "/"
    path: str = ""
    jobs: int = 0
    variables: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


ASKS = "asks"
"""Bash asks for the line of a `TRIGGER`."""


class Reports:
    """Splits the pipe's data into messages."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[JoinReport | str]:
        """Return the messages that are complete, in order: reports, and `ASKS`."""
        *whole, self._held = (self._held + data).split(b"\0\0")
        if len(self._held) > _MAX_REPORT_BYTES:
            self._held = b""
        return [message for text in whole if (message := _parse(text)) is not None]


def _parse(text: bytes) -> JoinReport | str | None:
    if text == b"s":
        return ASKS
    if not text.startswith(b"r\0") or len(text) > _MAX_REPORT_BYTES:
        return None
    fields = {field[:1]: field[1:].decode(errors="surrogateescape") for field in text.split(b"\0")[1:]}
    cwd = fields.get(b"d", "")
    return JoinReport(
        code=_number(fields.get(b"c", "")),
        cwd=cwd if cwd.startswith("/") else "/",
        uid=_number(fields.get(b"u", "")),
        home=fields.get(b"h", "/"),
        path=fields.get(b"p", ""),
        jobs=len(fields.get(b"j", "").split()),
        variables=_names(fields.get(b"v", "")),
        functions=_names(fields.get(b"f", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split() if not name.startswith("__pyd_"))


def line_message(line: bytes) -> bytes:
    """Return a line as it goes through the pipe; bash's strings end at NUL, which a line can't hold therefore."""
    return b"L" + line.replace(b"\0", b"") + b"\0"

"""The shell's start-up file in a step, and the command line and environment of what runs there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from shlex import quote

from pyd_core.buildkit.proto import ops_pb2
from pyd_core.debug.environment import build_environment, file_names
from pyd_core.debug.toolbox import PREFIX
from pyd_core.sanitise import safe

STEP_DIRECTORY = "/dev/.pyd-step"
BASE_DIRECTORY = "/dev/.pyd-base"
"""The root file system before the step, read-only."""
RC_FILE = "rc"

RERUN = 90
EDIT = 91
"""Exit codes with which the shell asks for what this process does."""

_RC = r"""
rerun() {{ builtin exit {rerun}; }}
edit() {{ builtin exit {edit}; }}
try() {{
    if (( $# )); then (builtin cd {cwd} && {tools}/env -i {env} "$@"); else
        (builtin cd {cwd} && {tools}/env -i {env} {args})
    fi
    local code=$?
    builtin printf 'exit code %s\n' "$code"
    return $code
}}
diff() {{
    if (( $# )); then command diff "$@"; return; fi
    if [[ ! -d {base} ]]; then builtin echo 'the step began with an empty file system'; return 1; fi
    local format='%P\t%y %m %s %T@ %l\n' skip='-xdev -mindepth 1'
    {tools}/comm --nocheck-order -3 \
        <(builtin cd {base} && {tools}/find . $skip ! -type d -printf "$format" | LC_ALL=C {tools}/sort) \
        <(builtin cd / && {tools}/find . $skip ! -type d -printf "$format" | LC_ALL=C {tools}/sort) |
    {tools}/awk -F'\t' '
        FILENAME != "-" {{ split($0, field, " "); mounted[substr(field[5], 2)] = 1; next }}
        $1 == "" {{ if (!($2 in mounted)) new[$2] = 1; next }} {{ if (!($1 in mounted)) old[$1] = 1 }}
        END {{ for (n in new) print (n in old ? "C" : "A") " /" n; for (o in old) if (!(o in new)) print "D /" o }}
    ' /proc/self/mountinfo - |
    LC_ALL=C {tools}/sort -k2
}}
help() {{
    if (( $# )); then builtin help "$@"; return; fi
    builtin echo 'try [COMMAND]  run the step (or a command) here, with its own environment'
    builtin echo 'diff           list what the step changed: A added, C changed, D deleted'
    builtin echo 'edit           edit the Dockerfile on your machine, then build again'
    builtin echo 'rerun          build again, with the Dockerfile and the context as they are now'
    builtin echo 'exit           leave the build as it is'
}}
"""


_REPLAY = "try >/dev/null 2>&1 </dev/null\n"


def rc_text(op: ops_pb2.Op, *, replay: bool = False) -> str:
    """Return the start-up file for a step.

    Args:
        op: The step.
        replay: Run the step first, as the state in which it failed isn't known.
    """
    meta = op.exec.meta
    text = _RC.format(
        rerun=RERUN,
        edit=EDIT,
        cwd=quote(meta.cwd or "/"),
        env=" ".join(quote(variable) for variable in meta.env),
        args=" ".join(quote(argument) for argument in meta.args),
        base=BASE_DIRECTORY,
        tools=f"{PREFIX}/bin",
    )
    return text + _REPLAY if replay else text


def shell_meta(op: ops_pb2.Op, toolbox: str, *, terminal: str, command: str | None) -> ops_pb2.Meta:
    """Return the process of a shell in a step: its user, directory and environment, and the tools on its path.

    Args:
        op: The step.
        toolbox: The toolbox's directory on this machine.
        terminal: `TERM`; empty without a terminal.
        command: What the shell runs; None makes it interactive.
    """
    meta = ops_pb2.Meta()
    meta.CopyFrom(op.exec.meta)
    tools = {name: os.path.exists(os.path.join(toolbox, name)) for name in file_names()}
    environment = build_environment(
        list(meta.env), terminal=terminal, name="step", home="/root", exists=lambda _: False, tools=tools
    )
    del meta.env[:]
    meta.env.extend(f"{name}={value}" for name, value in environment.items())
    del meta.args[:]
    meta.args.extend(_shell(command))
    del meta.validExitCodes[:]
    return meta


def _shell(command: str | None) -> Sequence[str]:
    rc = f"{STEP_DIRECTORY}/{RC_FILE}"
    if command is None:
        return (f"{PREFIX}/bin/bash", "--noprofile", "--rcfile", rc, "-i")
    return (f"{PREFIX}/bin/bash", "--noprofile", "--norc", "-c", f". {rc}; {command}")


def step_text(op: ops_pb2.Op) -> str:
    """Return a step's command for a heading."""
    args = list(op.exec.meta.args)
    shown = args[2] if args[:2] == ["/bin/sh", "-c"] and len(args) == 3 else " ".join(args)
    return safe(" ".join(shown.split()))

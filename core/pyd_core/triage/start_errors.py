"""Reasons of failed starts, from the engine's recorded message (`State.Error`) or its response.

The wordings are those of Docker Engine (moby `daemon/`, `libnetwork/`), runc and crun, and Podman.
"""

from __future__ import annotations

import re

from pyd_core.triage.evidence import Item, StartFailure

_TABLE: tuple[tuple[str, str], ...] = (
    ("port-conflict", r"Bind for (?P<a>\S+) failed: port is already allocated"),
    ("port-conflict", r"listen (?:tcp|udp)\S* (?P<a>\S+): bind: address already in use"),
    ("port-conflict", r"(?:rootlessport|cannot expose|failed to bind).*?(?P<a>[\d.:]*:\d+).*(?:in use|allocated)"),
    ("port-conflict", r"failed to bind (?:host )?port (?:for )?(?P<a>\S+).*address already in use"),
    ("unknown-user", r"unable to find (?:user|group) (?P<a>[^:]+): no matching entries"),
    ("unknown-user", r"unable to find (?:user|group) (?P<a>[^:]+): invalid|user: unknown user (?P<b>\S+)"),
    ("device-missing", r"gathering device information while adding custom device \"(?P<a>[^\"]+)\""),
    (
        "device-missing",
        r"(?:stat|could not select device driver).*?(?P<a>/dev/[^\s:\"]+|\"[^\"]*\")(?:: no such file| with cap)",
    ),
    ("mount-source-missing", r"bind source path does not exist: (?P<a>\S+)"),
    ("mount-source-missing", r"error mounting \"(?P<a>[^\"]+)\" to rootfs.*no such file or directory"),
    ("mount-source-missing", r"statfs (?P<a>\S+): no such file or directory"),
    ("mount-type-mismatch", r"error mounting \"(?P<a>[^\"]+)\" to rootfs at.*not a directory"),
    ("mount-type-mismatch", r"mount a directory onto a file"),
    ("network-missing", r"network (?P<a>\S+) not found|could not find (?:a )?network (?P<b>\S+)"),
    ("network-missing", r"unable to find network.*?\"(?P<a>[\w.-]+)\""),
    (
        "bad-workdir",
        r"(?:chdir to cwd|mkdir|cwd) \(?\"?(?P<a>/[^\s\")]+)\"?\)?.*(?:failed|denied|not a directory|no such)",
    ),
    ("bad-workdir", r"Cannot mkdir: (?P<a>\S+) is not a directory"),
    ("bad-workdir", r"workdir \"(?P<a>[^\"]+)\" does not exist"),
    ("wrong-architecture", r"(?P<a>[\S]+): exec format error"),
    ("command-not-found", r"exec: \"(?P<a>[^\"]*)\": executable file not found"),
    ("command-not-found", r"exec: \"(?P<a>[^\"]*)\": stat [^:]+: no such file or directory"),
    ("command-not-found", r"executable file [`\"'](?P<a>[^`\"']+)[`\"'] not found"),
    ("command-not-found", r"exec: \"(?P<a>[^\"]*)\": .*(?:not found|no such file)"),
    ("not-executable", r"exec: \"(?P<a>[^\"]*)\": (?:permission denied|is a directory)"),
    (
        "not-executable",
        r"(?:open executable|exec(?:ve)?) [`\"']?(?P<a>[^`\"':\s]+)[`\"']?: (?:permission denied|is a directory)",
    ),
    ("not-executable", r"the path `(?P<a>[^`]+)` (?:exists but it is not executable|is not a regular file)"),
    ("mount-type-mismatch", r"mount `(?P<a>[^`]+)` to `[^`]*`: not a directory"),
    ("mount-source-missing", r"cannot stat `(?P<a>[^`]+)`: no such file"),
    # crun opens files under the limit that it has set for the container already.
    ("fd-limit", r"crun: open\w* `(?P<a>[^`]+)`: too many open files"),
    ("image-not-found", r"No such image: (?P<a>\S+)|(?P<b>\S+): image not known"),
    ("no-space", r"no space left on device"),
    ("read-only-fs", r"read-only file system"),
)
"""Cause and pattern; the first match counts, so patterns of the engine's own messages come first."""


def parse_start_error(message: str, *, time_ns: int | None = None, workdir: str = "") -> StartFailure | None:
    """Interpret an engine's message; None if it is empty or no known failure to start.

    Args:
        message: The engine's message.
        time_ns: Its time.
        workdir: The configured working directory, to recognise a failure to create it.
    """
    item = Item(source="inspect", time_ns=time_ns, text=f"the engine's error: {message}")
    if len(workdir) > 1 and re.search(rf"(?:mkdir|chdir to cwd \(?\"?) ?{re.escape(workdir)}\"?\)?[: ]", message):
        return StartFailure(cause="bad-workdir", subject=workdir, message=message, item=item)
    for cause, pattern in _TABLE:
        match = re.search(pattern, message, re.IGNORECASE)
        if match is not None:
            subject = next((value for value in match.groupdict().values() if value), "").strip("\"'`.")
            return StartFailure(cause=cause, subject=subject, message=message, item=item)
    return None

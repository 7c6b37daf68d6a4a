"""Phrases in the output of programs that name an error.

A program's own words are good evidence of what it ran into and none of who killed it, so no phrase here stands for a
kill. Wordings are those of libc (strerror), the common runtimes (Go, Java, Node, Python, .NET), shells and databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pyd_core.triage.error_line import credible_lines, is_routine
from pyd_core.triage.evidence import Evidence, EvidenceLogLine

MAX_LINE_CHARACTERS = 2000
"""Characters looked at; programs print megabytes on one line, and patterns take time."""

_PATH = r"""['"`]?(?P<subject>/[^\s'"`:,;)]+)"""

_EXEC = (
    r"^exec (?:user process caused: |container process (?:\(missing dynamic library\?\) )?)?"
    r"""["'`]?(?P<subject>/?[^\s:"'`]+)["'`]?: """
)

_TABLE: tuple[tuple[str, str, float], ...] = (
    # The container runtime prints these in place of the program when execve fails.
    (
        "exec-enoent",
        _EXEC + r"no such file",
        0.8,
    ),
    (
        "exec-format",
        _EXEC + r"exec format error",
        0.8,
    ),
    ("exec-eacces", _EXEC + r"permission denied", 0.8),
    (
        "shared-library-missing",
        r"(?:error while loading shared libraries|Error loading shared library):? (?P<subject>[^\s:]+)",
        0.85,
    ),
    (
        "command-not-found",
        r"^(?:\S*sh|\S*/\S+): (?:line )?(?:\d+: )?(?P<subject>[^\s:]+): (?:command )?not found$",
        0.8,
    ),
    ("command-not-found", r"(?P<subject>\S+): command not found$", 0.75),
    ("command-not-found", r"^\S*env: (?:can't execute )?[^\w\s]?(?P<subject>[\w./+-]+)[^\w\s]?: no such file", 0.8),
    ("missing-secret", r"(?P<subject>/run/secrets/[^\s'\":,;)]+).*(?:no such file|not found|ENOENT)", 0.8),
    ("missing-secret", r"(?:no such file|not found|ENOENT).*(?P<subject>/run/secrets/[^\s'\":,;)]+)", 0.8),
    ("address-in-use", r"(?:address|port) (?:is )?already in use|EADDRINUSE|Address in use", 0.8),
    ("read-only-fs", r"read-only file ?system|EROFS", 0.8),
    ("no-space", r"no space left on device|ENOSPC|disk quota exceeded", 0.75),
    ("fd-limit", r"too many open files|EMFILE|no file descriptors available", 0.8),
    (
        "pids-limit",
        (
            r"(?:can't|cannot|could not|unable to) (?:v?fork|create"
            r" (?:a )?(?:new )?(?:native )?thread|start new thread)"
            r"|fork\w*[:(].*resource temporarily unavailable"
            r"|pthread_create.*(?:failed|resource temporarily)|fork: retry"
        ),
        0.7,
    ),
    (
        "app-heap-exhausted",
        (
            r"java\.lang\.OutOfMemoryError|heap out of memory|GC overhead limit exceeded"
            r"|System\.OutOfMemoryException|fatal error: (?:runtime: )?out of memory|runtime: out of memory"
        ),
        0.85,
    ),
    (
        "memory-rlimit",
        r"cannot allocate memory|can't allocate|ENOMEM|std::bad_alloc|memory exhausted|^MemoryError|out of memory!?$",
        0.5,
    ),
    (
        "dns-failure",
        (
            r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?P<a>[\w.-]+)"
            r"|bad address '(?P<b>[^']+)'|could not resolve host:? (?P<c>[\w.-]+)"
            r"|could not translate host name \"(?P<d>[^\"]+)\""
            r"|lookup (?P<e>[\w.-]+)(?: on \S+)?: (?:no such host|server misbehaving|i/o timeout)"
            r"|UnknownHostException:? (?P<f>[\w.-]+)|(?:can't|cannot) resolve '?(?P<g>[\w.-]+)'?"
        ),
        0.85,
    ),
    (
        "dns-failure",
        (
            r"name or service not known|temporary failure in name resolution|name does not resolve|no such host"
            r"|nodename nor servname|name resolution failure|no address associated with hostname"
        ),
        0.75,
    ),
    (
        "authentication-failed",
        (
            r"password authentication failed|access denied for user|authentication failed|WRONGPASS|NOAUTH"
            r"|login failed for user|invalid (?:username or )?password|invalid credentials"
        ),
        0.8,
    ),
    (
        "clock-skew",
        (
            r"certificate is not yet valid|not yet valid|clock skew|RequestTimeTooSkewed|token used before issued"
            r"|certificate has expired or is not yet valid"
        ),
        0.7,
    ),
    (
        "connection-refused",
        (
            r"(?:dial tcp|ECONNREFUSED|connect(?:ing|ion)? to(?: remote host| server at)?) "
            r"[\[(\"']?(?P<a>[A-Za-z0-9][\w.-]*(?::\d+)?)\b.*(?:connection refused|could not connect)"
            r"|ECONNREFUSED (?P<b>[\w.-]+(?::\d+)?)|(?P<c>[\w.-]+:\d+): connection refused"
        ),
        0.75,
    ),
    ("connection-refused", r"connection refused|ECONNREFUSED", 0.75),
    (
        "missing-env",
        (
            r"environment variable ['\"`$]*(?P<a>[A-Z][A-Z0-9_]+)?.*(?:not (?:set|found|defined|specified)|is"
            r" (?:required|missing|unset))"
            r"|(?:missing|required|unset) (?:required )?(?:environment|env)"
            r" (?:variable|var)s?:? ?['\"`$]*(?P<b>[A-Z][A-Z0-9_]+)?"
            r"|\b(?P<c>[A-Z][A-Z0-9_]{2,}) (?:is not set|is unset|must be set|not set|is required)"
            r"|KeyError: '(?P<d>[A-Z][A-Z0-9_]+)'"
            r"|: (?P<e>[A-Za-z_]\w+): (?:parameter (?:not set|null or not set)|unbound variable)"
            r"|you (?:need|must) to? ?specify one of"
        ),
        0.8,
    ),
    ("operation-not-permitted", r"operation not permitted|EPERM", 0.7),
    ("permission-denied", _PATH + r"['\"`]?:? .*?permission denied", 0.75),
    ("permission-denied", r"permission denied.*?" + _PATH, 0.75),
    ("permission-denied", r"permission denied|EACCES", 0.65),
    ("missing-file", _PATH + r"['\"`]?:? .*?(?:no such file|not found|does not exist)", 0.7),
    (
        "missing-file",
        r"(?:no such file|ENOENT|cannot find|can't open|could not open|not found).*?" + _PATH,
        0.7,
    ),
    ("missing-file", r"no such file or directory|ENOENT|FileNotFoundError", 0.6),
    # Shells and launchers without their name in the message; it only counts with a shell's exit code.
    ("command-not-found", r"^(?:.*:\s)?['\"`]?(?P<subject>[\w./+-]+)['\"`]?: (?:command )?not found$", 0.5),
    (
        "usage-error",
        (
            r"^usage: |unrecognized (?:option|argument)|(?:invalid|unknown|illegal|bad) (?:option|flag|argument)"
            r"|flag provided but not defined"
        ),
        0.6,
    ),
    (
        "abort",
        (
            r"assertion .*fail|^aborted|terminate called|double free"
            r"|corrupted (?:size|double)|malloc\(\): |free\(\): invalid"
            r"|SIGABRT"
        ),
        0.8,
    ),
    ("segfault", r"segmentation fault|SIGSEGV", 0.7),
    ("bus-error", r"\bbus error|SIGBUS", 0.7),
    ("illegal-instruction", r"illegal instruction|SIGILL", 0.7),
    ("arithmetic-fault", r"floating point exception|SIGFPE", 0.7),
)

_PATTERNS: list[tuple[str, re.Pattern[str], float]] = []
"""Compiled on first use: most commands don't need them."""


def credible_output(lines: Sequence[EvidenceLogLine], end_ns: int | None) -> list[EvidenceLogLine]:
    """Return the lines of a run's output that `find_phrases` may look at, see `credible_lines`."""
    return credible_lines(lines, lambda line: bool(find_phrases((line,))), end_ns)


def find_phrases(lines: Iterable[EvidenceLogLine]) -> tuple[Evidence, ...]:
    """Return the errors that lines of output name: the last mention of each cause, latest first.

    The output of health probes is kept apart from the program's. Lines with an informational level don't count.

    A line counts for the first matching cause of the table, so specific phrases come before general ones.
    """
    if not _PATTERNS:
        _PATTERNS.extend((cause, re.compile(pattern, re.IGNORECASE), strength) for cause, pattern, strength in _TABLE)
    evidence: dict[tuple[str, bool], Evidence] = {}
    for line in lines:
        text = line.text[:MAX_LINE_CHARACTERS]
        is_probe = line.stream == "health"
        for cause, pattern, strength in _PATTERNS:
            match = pattern.search(text)
            if match is not None and is_routine(line):
                break
            if match is not None:
                subject = next((value for value in match.groupdict().values() if value), "")
                evidence.pop((cause, is_probe), None)
                evidence[cause, is_probe] = Evidence(cause=cause, line=line, subject=subject, strength=strength)
                break
    return tuple(reversed(evidence.values()))

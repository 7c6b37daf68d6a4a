"""Interpretation of error messages of `run`, `build`, `pull` and compose commands.

The patterns match messages of the docker and podman commands, BuildKit and registries. Checks then examine the objects
that a message names: the user of a port, a path of a build, the permissions of a socket, the space on a disk.
"""

from __future__ import annotations

import re

import msgspec

from pyd_core.triage.causes import CAUSES
from pyd_core.triage.codes import explain_code
from pyd_core.triage.evidence import EvidenceLogLine
from pyd_core.triage.phrases import find_phrases
from pyd_core.triage.start_errors import parse_start_error

_TABLE: tuple[tuple[str, str], ...] = (
    (
        "engine-permission",
        r"permission denied while trying to connect|dial unix (?P<a>\S+): connect: permission denied",
    ),
    ("engine-unreachable", r"cannot connect to the docker daemon(?: at (?P<a>\S+?))?\.? |is the docker daemon running"),
    (
        "engine-unreachable",
        r"dial unix (?P<a>\S+): connect: (?:no such file|connection refused)|cannot connect to podman",
    ),
    ("pull-rate-limited", r"toomanyrequests|pull rate limit|429 too many requests"),
    (
        "wrong-architecture",
        r"no matching manifest for (?P<a>\S+)|does not match the (?:detected|specified) host platform",
    ),
    ("pull-auth", r"pull access denied for (?P<a>[^\s,]+)|no basic auth credentials|authentication required"),
    ("pull-auth", r"denied: (?:requested )?access|unauthorized: |incorrect username or password"),
    (
        "image-not-found",
        r"manifest for (?P<a>\S+) not found|manifest unknown|name unknown",
    ),
    ("image-not-found", r"manifest for (?P<a>\S+) not found|manifest unknown|name unknown"),
    ("image-not-found", r"(?:unable to find image|no such image:?) '?(?P<a>[^'\s]+)"),
    (
        "registry-unreachable",
        (
            r"(?:Get|Head|Post) \"?https?://(?P<a>[^/\"\s]+)"
            r".*(?:timeout|no such host|refused|no route|canceled|x509|TLS|EOF)"
            r"|pinging container registry (?P<b>[^/:\s]+)|net/http: TLS handshake timeout"
        ),
    ),
    (
        "build-context",
        (
            r"(?:COPY|ADD) failed: .*?stat (?:/[^\s:]*/)?(?P<a>[^\s:]+): (?:file does not exist|no such file)"
            r"|(?:COPY|ADD) failed: file not found in build context.*?stat (?P<b>[^\s:]+):"
            r"|(?:failed to calculate checksum|failed to compute cache key).*?\"/?(?P<c>[^\"]+)\": not found"
            r"|(?:COPY|ADD) failed: (?P<d>.*)|copier: stat: \"(?P<e>[^\"]+)\""
        ),
    ),
    ("name-conflict", r"container name \"/?(?P<a>[^\"]+)\" is already in use"),
    ("command-not-found", r"OCI runtime exec failed.*exec: \"(?P<a>[^\"]+)\".*(?:not found|no such file)"),
    ("usage-error", r"invalid reference format|unknown (?:shorthand )?flag: (?P<a>\S+)|requires at least \d+ argument"),
    ("permission-denied", r"error while creating mount source path '(?P<a>[^']+)'.*(?:permission denied|read-only)"),
    ("no-space", r"no space left on device"),
    ("pool-overlap", r"pool overlaps with other one|subnet (?P<a>\S+) is already used|overlaps with existing network"),
    (
        "no-free-pool",
        (
            r"could not find an available,? (?:non-overlapping )?(?:IPv[46] )?address pool"
            r"|predefined address pools have been fully subnetted|could not find free subnet"
        ),
    ),
    (
        "network-in-use",
        (
            r"network:? (?P<a>\S+) (?:id \S+ )?has active endpoints|network (?P<b>\S+) is in use"
            r"|\"(?P<c>[^\"]+)\" has associated containers"
        ),
    ),
    (
        "volume-in-use",
        r"remove (?P<a>\S+?): volume is in use|volume (?P<b>\S+) is being used by the following container",
    ),
    (
        "image-in-use",
        (
            r"unable to (?:delete|remove)(?: repository reference)? \"?(?P<a>[\w./:@-]+)\"? .*"
            r"(?:is being used by|is using its referenced image|has dependent child images)"
            r"|image used by (?P<b>[0-9a-f]+): image is in use"
        ),
    ),
    ("firewall-chain-missing", r"ip6?tables.*no chain/target/match by that name"),
    ("no-swarm-manager", r"this node is not a swarm manager|this node is not part of a swarm"),
    (
        "api-version",
        (
            r"client version (?P<a>[\d.]+) is too (?:old|new)"
            r"|client is newer than server|client API version: (?P<b>[\d.]+)"
        ),
    ),
    ("orphan-containers", r"found orphan containers \(\[?(?P<a>[^\])]*)"),
    (
        "compose-file",
        (
            r"service \"(?P<a>[^\"]+)\" (?:has neither an image|depends on undefined|refers to undefined)"
            r"|(?:validating|parsing|failed to parse) (?P<b>\S*\.ya?ml)\b"
            r"|(?P<c>services(?:\.[\w-]+)+) (?:additional propert|must be an?|contains an invalid type)"
            r"|additional propert(?:y|ies) '?(?P<d>[\w.-]+)'? (?:(?:is|are) )?not allowed"
            r"|no configuration file provided: not found|can't find a suitable configuration file"
            r"|the compose file '?(?P<e>[^']*?)'? is invalid|^(?:\S+: )?yaml: (?:line (?P<f>\d+): )?"
        ),
    ),
)

_RUNTIME = {
    "exec-format": ("wrong-architecture", 0.75),
    "exec-enoent": ("command-not-found", 0.5),
    "exec-eacces": ("not-executable", 0.75),
}
"""Most likely meanings of a container runtime's error if the image can't be examined."""

_CODE = re.compile(r"(?:exit(?:ed with)? code:? ?|exit status |returned a non-zero code: )(\d{1,3})\b", re.IGNORECASE)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreted message."""

    cause: str
    subject: str = ""
    """The object it names: a port, path, image, registry or socket."""
    confidence: float
    line: str
    """The decisive line."""
    code: int | None = None
    """The exit code, if it names nothing else."""

    @property
    def meaning(self) -> str:
        """The meaning in a sentence."""
        if self.code is not None:
            code = explain_code(self.code)
            return f"exit code {self.code}, {code.title}. {code.meaning}"
        named = f" ({self.subject})" if self.subject else ""
        return f"{CAUSES[self.cause].meaning.rstrip('.')}{named}"


def read_message(text: str) -> Message | None:
    """Interpret an error message; None if it is unknown.

    Args:
        text: One line or many; the last lines count most, since programs print the fatal error last.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    whole = " ".join(lines)
    for cause, pattern in _TABLE:
        match = re.search(pattern, whole, re.IGNORECASE)
        if match is not None:
            subject = next((value for value in match.groupdict().values() if value), "").strip("\"'.,")
            return Message(cause=cause, subject=subject, confidence=0.9, line=_around(lines, match.group()))
    failure = parse_start_error(whole)
    if failure is not None:
        return Message(cause=failure.cause, subject=failure.subject, confidence=0.9, line=lines[-1])
    for finding in find_phrases(EvidenceLogLine(stream="error", text=line) for line in lines):
        cause, strength = _RUNTIME.get(finding.cause, (finding.cause, finding.strength))
        return Message(cause=cause, subject=finding.subject, confidence=strength, line=finding.line.text)
    code = _CODE.search(whole)
    if code is not None:
        return Message(cause="app-error", confidence=0.4, line=_around(lines, code.group()), code=int(code[1]))
    return None


def _around(lines: list[str], match: str) -> str:
    """Return the line of a match, or the one where it starts."""
    return next((line for line in lines if match[:40] in line or line in match), lines[-1] if lines else "")

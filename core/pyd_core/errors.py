"""The error tree of the project.

```
PydError                    anything pyd reports; every other exception is a bug
├── InvalidInput            the request makes no sense
│   ├── Ambiguous           an id prefix or name fits several objects
│   ├── DockerfileError     a Dockerfile can't be read or built; carries the line
│   └── ConfigError         a file the user wrote can't be used
├── NotFound                no such container, image, network, volume, file …
├── Conflict                the object's state doesn't allow it (already running, name taken, not running)
├── Refused                 permission denied: by a socket, a kernel call or read-only mode
├── Unsupported             this engine, kernel or target can't do it
├── EngineError             the engine responded with an error that fits none of the above
│   └── ProtocolError       the response is not one that the API allows
├── EngineUnavailable       no engine answers
│   ├── NoEngine            no engine was found
│   └── StreamInterrupted   the engine stopped in the middle of a stream
├── KernelError             a system call failed; carries the call and errno
└── ToolboxError            the toolbox can't be built, found or used
```

Each error carries a message (what happened), a hint (what to do next) and a stable kebab-case reference that scripts
can match on. How an error becomes an HTTP status, an exit code or a toast is decided at each edge, in one mapper there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence


class PydError(Exception):
    """Anything pyd reports to its user.

    Args:
        message: What happened, one line, no full stop needed.
        hint: What to do next, one line; empty if no advice applies.
        reference: Overrides the class's reference where callers need to distinguish cases.
    """

    reference: str = "error"

    def __init__(self, message: str, *, hint: str = "", reference: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if reference is not None:
            self.reference = reference


class InvalidInput(PydError):
    """The request makes no sense."""

    reference = "invalid-input"


class Ambiguous(InvalidInput):
    """An id prefix or a name fits several objects; `candidates` lists them."""

    reference = "ambiguous-name"

    def __init__(self, message: str, *, candidates: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.candidates = tuple(candidates)


class DockerfileError(InvalidInput):
    """A Dockerfile can't be read or built.

    Attributes:
        line: The first line of the instruction, from 1; 0 if the error is about the file as a unit.
        end_line: The last line of the instruction.
        column: The column of the offending word, from 1; 0 if it is unknown.
    """

    reference = "bad-dockerfile"

    def __init__(
        self, message: str, *, line: int = 0, end_line: int = 0, column: int = 0, hint: str = "",
        reference: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message, hint=hint, reference=reference)
        self.line = line
        self.end_line = max(line, end_line)
        self.column = column


class ConfigError(InvalidInput):
    """A file the user wrote (a docker context, the configuration) can't be used."""

    reference = "bad-config"


class NotFound(PydError):
    """No such object; `nearest` lists names similar to the requested one."""

    reference = "not-found"

    def __init__(
        self, message: str, *, nearest: Sequence[str] = (), hint: str = "", reference: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, reference=reference)
        self.nearest = tuple(nearest)


class Conflict(PydError):
    """The object's present state doesn't allow the request."""

    reference = "conflict"


class Refused(PydError):
    """Permission denied: by file permissions, the kernel, or read-only mode."""

    reference = "refused"


class Unsupported(PydError):
    """This engine, kernel or target doesn't support the request."""

    reference = "unsupported"


class EngineError(PydError):
    """The engine responded with an error that fits no other category.

    `status` is the HTTP status of the response.
    """

    reference = "engine-error"

    def __init__(self, message: str, *, status: int = 500, hint: str = "", reference: str | None = None) -> None:
        super().__init__(message, hint=hint, reference=reference)
        self.status = status


class ProtocolError(EngineError):
    """The engine's response is not one that the Engine API allows."""

    reference = "bad-answer"


class EngineUnavailable(PydError):
    """No engine answers at the endpoint."""

    reference = "engine-unavailable"


class NoEngine(EngineUnavailable):
    """No engine was found."""

    reference = "no-engine"


class StreamInterrupted(EngineUnavailable):
    """The engine stopped answering in the middle of a stream."""

    reference = "stream-cut"


class KernelError(PydError):
    """A system call failed.

    Attributes:
        call: The system call, for example `mount_setattr`.
        errno: The error number it set.
    """

    reference = "kernel-error"

    def __init__(self, call: str, errno: int, subject: str = "", *, hint: str = "") -> None:
        about = f" {subject}" if subject else ""
        super().__init__(f"{call}{about}: {os.strerror(errno)}", hint=hint)
        self.call = call
        self.errno = errno


class ToolboxError(PydError):
    """The toolbox can't be built, found or used."""

    reference = "toolbox"

"""Security options: `seccomp=FILE`, `apparmor=NAME`, `no-new-privileges`, `systempaths=unconfined`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe


def parse_security(texts: Iterable[str]) -> tuple[list[str], bool]:
    """Return the options in the form of the Engine API, and whether system paths are unmasked.

    A seccomp profile is read here because the engine may be on another machine.

    Raises:
        InvalidInput: A value can't be read.
        NotFound: A profile is missing.
    """
    options, unmask_paths = [], False
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals and ":" in text:
            name, equals, value = text.partition(":")
        if not equals and name != "no-new-privileges":
            raise InvalidInput(f"invalid security option: {safe(text)!r}", hint="write NAME=VALUE")
        if name == "systempaths" and value == "unconfined":
            unmask_paths = True
            continue
        if name == "seccomp" and value not in {"unconfined", "builtin"}:
            options.append(f"seccomp={_read_profile(value)}")
        else:
            options.append(text)
    return options, unmask_paths


def _read_profile(file: str) -> str:
    try:
        return msgspec.json.format(Path(file).read_bytes(), indent=-1).decode()
    except FileNotFoundError as error:
        raise NotFound(f"no such seccomp profile: {safe(file)}", reference="no-such-file") from error
    except OSError as error:
        raise InvalidInput(f"can't read the seccomp profile {safe(file)}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the seccomp profile {safe(file)} is not JSON: {error}") from error

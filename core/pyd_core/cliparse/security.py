"""Security options: `seccomp=FILE`, `apparmor=NAME`, `no-new-privileges`, `systempaths=unconfined`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from pyd_core.errors import InvalidInput, NotFound
from pyd_core.sanitise import safe


def parse_security(given: Iterable[str]) -> tuple[list[str], bool]:
    """Return the options in the form of the Engine API, and whether system paths are unmasked.

    A seccomp profile is read here because the engine may be on another machine.

    Raises:
        InvalidInput: A value can't be read.
        NotFound: A profile is missing.
    """
    found, open_paths = [], False
    for text in given:
        name, equals, value = text.partition("=")
        if not equals and ":" in text:
            name, equals, value = text.partition(":")
        if not equals and name != "no-new-privileges":
            raise InvalidInput(f"invalid security option: {safe(text)!r}", hint="write NAME=VALUE")
        if name == "systempaths" and value == "unconfined":
            open_paths = True
            continue
        if name == "seccomp" and value not in {"unconfined", "builtin"}:
            found.append(f"seccomp={_profile(value)}")
        else:
            found.append(text)
    return found, open_paths


def _profile(file: str) -> str:
    try:
        return msgspec.json.format(Path(file).read_bytes(), indent=-1).decode()
    except FileNotFoundError as error:
        raise NotFound(f"no such seccomp profile: {safe(file)}", reference="no-such-file") from error
    except OSError as error:
        raise InvalidInput(f"can't read the seccomp profile {safe(file)}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InvalidInput(f"the seccomp profile {safe(file)} is not JSON: {error}") from error

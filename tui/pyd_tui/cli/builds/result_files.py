"""Files with the results of builds: `--iidfile`, `--metadata-file`."""

from __future__ import annotations

from pathlib import Path

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe


def write_result_file(name: str, text: str) -> None:
    """Write a file.

    Raises:
        InvalidInput: It can't be written.
    """
    try:
        Path(name).write_text(text)
    except OSError as error:
        raise InvalidInput(f"can't write {safe(name)}: {error.strerror}") from error

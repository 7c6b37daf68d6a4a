"""Names of an image's unpacked layers, as containerd keeps them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from pyd_core.errors import ProtocolError
from pyd_core.sanitise import safe

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def chain_id(diff_ids: Iterable[str]) -> str:
    """Return the name of the snapshot that has all of an image's layers; empty for an image without layers.

    The OCI image specification defines it (`config.md`, "Layer ChainID").

    Args:
        diff_ids: Digests of the unpacked layers, the lowest first.

    Raises:
        ProtocolError: One isn't a SHA-256 digest.
    """
    chain = ""
    for diff_id in diff_ids:
        if _DIGEST.fullmatch(diff_id) is None:
            raise ProtocolError(f"the engine names a layer {safe(diff_id)!r}, which is not a digest")
        chain = f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}" if chain else diff_id
    return chain

"""Services that the front end needs from an engine: configurations of images, and files of sources."""

from __future__ import annotations

from typing import Protocol

from pyd_core.buildkit.proto import ops_pb2


class FrontendServices(Protocol):
    """Services of an engine."""

    async def image_config(
        self, reference: str, *, platform: ops_pb2.Platform, resolve_mode: str, log_name: str
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image; an empty digest means that there is none.

        Args:
            reference: Full reference with tag or digest.
            platform: The platform.
            resolve_mode: `pull`, `local` or an empty text, the default.
            log_name: The step's name in progress.

        Raises:
            NotFound: No such image.
        """
        ...

    async def layout_config(
        self, reference: str, *, platform: ops_pb2.Platform, session: str, store: str, log_name: str
    ) -> tuple[str, bytes]:
        """Return digest and configuration of an image in a client's OCI layout.

        Raises:
            NotFound: No such image.
        """
        ...

    async def read_file(
        self, definition: ops_pb2.Definition, path: str, *, max_bytes: int, start_only: bool = False
    ) -> bytes | None:
        """Return a file in the result of a definition, or None if there is none.

        Args:
            definition: The definition, which is solved.
            path: Path in its result.
            max_bytes: Limit for the file's size.
            start_only: Return the first bytes of a longer file instead of raising.

        Raises:
            InvalidInput: The file is longer.
        """
        ...

    async def input_definition(self, name: str) -> tuple[ops_pb2.Definition, bytes] | None:
        """Return an input that the client sent with the request, and its image's configuration or an empty value."""
        ...

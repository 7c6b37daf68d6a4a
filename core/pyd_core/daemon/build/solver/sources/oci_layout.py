"""Images in an OCI layout of the client (image-layout.md), read over its session; the client is not trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack

from pyd_core.daemon.build.interfaces import BuildSession
from pyd_core.daemon.build.session.content_store import ContentStore
from pyd_core.daemon.build.solver.reporter import VertexReporter, now
from pyd_core.daemon.build.solver.snapshots import SnapshotStore
from pyd_core.daemon.images.blobs import hex_digest
from pyd_core.daemon.images.config import check_diff_ids, read_config
from pyd_core.daemon.images.manifest_document import Blob, ManifestDocument, choose_manifest, decode_manifest
from pyd_core.daemon.images.platforms import check_platform, parse_platform
from pyd_core.daemon.images.store import ImageStore
from pyd_core.errors import InvalidInput

SCHEME = "oci-layout://"
MAX_LAYERS = 1000


class LayoutImage:
    """An image in a client's layout.

    Args:
        store: The layout.
        digest: The manifest's or the index's.
        platform: `linux/arm64`; empty is this machine's.
    """

    def __init__(self, store: ContentStore, digest: str, platform: str) -> None:
        self._store = store
        self._digest = f"sha256:{hex_digest(digest)}"
        self._platform = platform

    @classmethod
    def of_source(
        cls, identifier: str, attrs: Mapping[str, str], platform: str, session: BuildSession | None
    ) -> LayoutImage:
        """Return the image of a source operation.

        Raises:
            InvalidInput: It has no digest, or belongs to another session.
        """
        _, _, digest = identifier.removeprefix(SCHEME).partition("@")
        if session is None or attrs.get("oci.session", session.id) not in {"", session.id}:
            raise InvalidInput("the OCI layout belongs to another session than the build", reference="bad-definition")
        return cls(session.content_store(f"oci:{attrs.get('oci.store', '')}"), digest, platform)

    async def manifest(self) -> ManifestDocument:
        """Return the manifest for the platform.

        Raises:
            NotFound: The index has none.
            InvalidInput: A document is malformed, or isn't what its digest says.
        """
        document = decode_manifest(await self._store.document(self._digest))
        if document.manifests is not None:
            chosen = choose_manifest(document, parse_platform(self._platform or "linux"))
            document = decode_manifest(await self._store.document(f"sha256:{hex_digest(chosen)}"))
        if document.config is None or document.layers is None or len(document.layers) > MAX_LAYERS:
            raise InvalidInput("the OCI layout's manifest is of no image", reference="bad-archive")
        return document

    async def config(self) -> tuple[str, bytes]:
        """Return the digest that was asked for, and the configuration.

        Raises:
            NotFound: The image is for another platform.
        """
        return self._digest, await self._config(await self.manifest())

    async def _config(self, document: ManifestDocument) -> bytes:
        assert document.config is not None  # noqa: S101 - checked by manifest()
        body = await self._store.document(f"sha256:{hex_digest(document.config.digest)}")
        config = read_config(body)
        if self._platform:
            check_platform(self._digest, config, self._platform)
        return body

    async def layers(
        self, images: ImageStore, snapshots: SnapshotStore, held: ExitStack, reporter: VertexReporter
    ) -> tuple[str, ...]:
        """Bring the layers into the image store and return their diff ids, which stay until `held` is closed.

        Raises:
            InvalidInput: A layer isn't what the manifest or the configuration says.
        """
        document = await self.manifest()
        blobs = document.layers or []
        diff_ids = tuple(check_diff_ids(read_config(await self._config(document)), len(blobs), "the OCI layout"))
        held.enter_context(snapshots.hold(diff_ids))
        for diff_id, blob in zip(diff_ids, blobs, strict=True):
            if diff_id not in images.layers:
                await self._fetch(images, blob, diff_id, reporter)
        return diff_ids

    async def _fetch(self, images: ImageStore, blob: Blob, diff_id: str, reporter: VertexReporter) -> None:
        digest = f"sha256:{hex_digest(blob.digest)}"
        key, started = f"loading {digest[:19]}", now()
        file = images.blobs.create_temporary()
        hasher, size = hashlib.sha256(), 0
        try:
            with file.open("wb") as out:
                async for chunk in self._store.read(digest):
                    size += len(chunk)
                    if size > blob.size:
                        raise InvalidInput(f"digest mismatch: {digest} is longer than the manifest says")
                    hasher.update(chunk)
                    out.write(chunk)
                    reporter.status(key, size, blob.size, started=started)
            images.blobs.verify(file, digest, f"sha256:{hasher.hexdigest()}")
            await images.layers.import_async(file, blob=digest, media=blob.media_type, expected_diff_id=diff_id)
        finally:
            file.unlink(missing_ok=True)
        reporter.status(key, size, blob.size, started=started, completed=True)

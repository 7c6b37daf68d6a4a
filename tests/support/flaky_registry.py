"""A registry with one image that cuts off, omits and adds content as configured."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LAYER = "application/vnd.oci.image.layer.v1.tar+"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class FlakyRegistry:
    """Serves `NAME/image:1` on the loopback.

    Attributes:
        layer: An uncompressed layer.
        compress: What the layer is packed with.
        form: How the media type calls that.
        sent: What is sent of the packed layer, from its bytes, where a request begins and the request's number.
        ranges: Whether requests for the rest of it are understood.
        keeps: Whether a connection seems to be kept, and is closed when it is used again.
        name: `HOST:PORT`.
        asked: The beginnings of the requests for the layer, in their order.
    """

    layer: bytes
    compress: Callable[[bytes], bytes] = gzip.compress
    form: str = "gzip"
    sent: Callable[[bytes, int, int], bytes] = lambda packed, begin, number: packed[begin:]  # noqa: ARG005
    ranges: bool = True
    keeps: bool = False
    name: str = ""
    requested_offsets: list[int] = field(default_factory=list)

    def documents(self) -> tuple[dict[str, bytes], bytes]:
        """The blobs by digest, and the packed layer."""
        packed = self.compress(self.layer)
        rootfs = {"type": "layers", "diff_ids": [digest(self.layer)]}
        config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]}, "rootfs": rootfs}
        text = json.dumps(config).encode()
        kind = "application/vnd.oci.image.config.v1+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": kind, "digest": digest(text), "size": len(text)},
            "layers": [{"mediaType": LAYER + self.form, "digest": digest(packed), "size": len(packed)}],
        }
        return {"manifest": json.dumps(manifest).encode(), digest(text): text, digest(packed): packed}, packed

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve until the block ends, and give the image's name."""
        documents, packed = self.documents()
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            used = False

            def do_GET(self) -> None:
                if self.used:
                    self.close_connection = True
                    return
                self.used = True
                last = self.path.rpartition("/")[2]
                kind = MANIFEST if "/manifests/" in self.path else "application/octet-stream"
                body = documents["manifest"] if "/manifests/" in self.path else documents.get(last, b"{}")
                begin, promised = 0, len(body)
                if body is packed:
                    requested = self.headers.get("Range", "bytes=0-")
                    begin = int(requested.removeprefix("bytes=").rstrip("-"))
                    registry.requested_offsets.append(begin)
                    begin = begin if registry.ranges else 0
                    body = registry.sent(packed, begin, len(registry.requested_offsets))
                    promised = max(len(packed) - begin, len(body))  # one that ends before is a connection that broke
                self.send_response(206 if begin else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(promised))
                if not registry.keeps or len(body) < promised:
                    self.send_header("Connection", "close")  # which ends it here too
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            self.name = f"127.0.0.1:{server.server_address[1]}"
            try:
                yield f"{self.name}/flaky/image:1"
            finally:
                server.shutdown()
                thread.join()

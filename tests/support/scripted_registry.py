"""A registry with configured responses, to test how engines report refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def registry(status: int, code: str, message: str) -> Iterator[str]:
    """Serve on the loopback, where engines ask without TLS, and give its name.

    Args:
        status: Of the answer to all but the first question, whether it is a registry.
        code: The error's, of the distribution specification.
        message: The error's.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            refused = self.path.rstrip("/") != "/v2" or status == 401
            body = f'{{"errors":[{{"code":"{code}","message":"{message}"}}]}}'.encode() if refused else b"{}"
            self.send_response(status if refused else 200)
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="registry"')
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the server looks for this name

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()

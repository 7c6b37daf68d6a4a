"""Connection to containerd: the namespace of each call, its deadline, and errors as this project has them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

from grpclib.client import Channel
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from h2.exceptions import H2Error

from pyd_core.buildkit.rpc.failures import from_status
from pyd_core.errors import EngineUnavailable

CALL_TIMEOUT_S = 10.0
"""Seconds containerd may take to respond."""


class ContainerdChannel:
    """Calls in one namespace of a containerd.

    Args:
        path: The socket.
        namespace: The namespace; Docker Engine has `moby`.
    """

    def __init__(self, path: str, namespace: str) -> None:
        self._path = path
        self._channel: Channel | None = None
        self.namespace = namespace

    @property
    def channel(self) -> Channel:
        """The channel, which belongs to the event loop of its first use: providers are created in threads without."""
        if self._channel is None:
            self._channel = Channel(path=self._path)
        return self._channel

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._channel is not None:
            self._channel.close()

    def metadata(self, lease: str = "") -> dict[str, str]:
        """Return the headers of a call; what a call with a lease creates belongs to that lease."""
        headers = {"containerd-namespace": self.namespace}
        return {**headers, "containerd-lease": lease} if lease else headers

    @contextlib.contextmanager
    def calls(self) -> Iterator[None]:
        """Raise what fails inside as errors of this project.

        Raises:
            EngineUnavailable: There is no connection, or no response in time.
            PydError: containerd refused.
        """
        try:
            yield
        except GRPCError as error:
            raise from_status(error) from error
        except TimeoutError as error:
            raise EngineUnavailable(f"containerd at {self._path} didn't respond in {CALL_TIMEOUT_S:.0f} s") from error
        except (OSError, StreamTerminatedError, ProtocolError, H2Error) as error:
            raise EngineUnavailable(
                f"containerd at {self._path} can't be reached: {error}",
                hint="check that it runs, and that you are root",
            ) from error


@contextlib.asynccontextmanager
async def containerd_channel(path: str, namespace: str) -> AsyncIterator[ContainerdChannel]:
    """Connect to a containerd with the first call, and disconnect at the end of the block."""
    connection = ContainerdChannel(path, namespace)
    try:
        yield connection
    finally:
        connection.close()

"""Addresses of clusters: `kube://CONTEXT/NAMESPACE`."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote

import msgspec

from pyd_core.errors import InvalidInput
from pyd_core.sanitise import safe

SCHEME = "kube://"
ALL_NAMESPACES = "*"
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1123 label, as the API server requires it of a namespace's name."""


class ClusterAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A context of the kubeconfig, and a namespace in it; empty texts stand for the current ones."""

    context: str = ""
    namespace: str = ""

    @property
    def all_namespaces(self) -> bool:
        """Whether all namespaces are meant."""
        return self.namespace == ALL_NAMESPACES


def parse_address(url: str, contexts: Collection[str] = ()) -> ClusterAddress:
    """Parse `kube://CONTEXT/NAMESPACE`.

    Both parts may be missing. Names of contexts may contain slashes (Amazon's do): a text that is a context is taken as
    a whole, before its last part is taken for a namespace.

    Args:
        url: The address.
        contexts: The names of the known contexts.

    Raises:
        InvalidInput: The scheme is another one, or the namespace isn't a name.
    """
    if not url.startswith(SCHEME):
        raise InvalidInput(f"not a cluster's address: {safe(url)!r}", hint="write kube://CONTEXT/NAMESPACE")
    rest = url.removeprefix(SCHEME)
    if rest in contexts or unquote(rest) in contexts:
        return ClusterAddress(context=rest if rest in contexts else unquote(rest))
    context, slash, namespace = rest.rpartition("/")
    if not slash:
        context, namespace = namespace, ""
    if context not in contexts:
        context = unquote(context)
    if namespace and namespace != ALL_NAMESPACES and not _NAMESPACE.fullmatch(namespace):
        raise InvalidInput(
            f"not a namespace: {safe(namespace)!r}",
            hint="write kube://CONTEXT/NAMESPACE, or kube://CONTEXT/* for all namespaces",
        )
    return ClusterAddress(context=context, namespace=namespace)

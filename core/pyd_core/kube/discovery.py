"""Resources that an API server has, by their names."""

from __future__ import annotations

import msgspec

from pyd_core.errors import NotFound, PydError
from pyd_core.kube.cluster_api import ClusterApi, object_path
from pyd_core.kube.model.meta import ClusterStruct
from pyd_core.sanitise import safe

MAX_GROUPS = 500


class ApiResource(ClusterStruct):
    """A resource that can be listed."""

    name: str = ""
    singular_name: str = ""
    kind: str = ""
    namespaced: bool = False
    short_names: list[str] = []  # noqa: RUF012 - msgspec copies it
    verbs: list[str] = []  # noqa: RUF012 - as above
    group: str = "v1"
    """`v1`, or a group with its version, such as `apps/v1`."""

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of its list, or of an object."""
        return object_path(self.name, group=self.group, namespace=namespace if self.namespaced else "", name=name)


class _ResourceList(msgspec.Struct):
    resources: list[ApiResource] = []


class _Preferred(msgspec.Struct, rename="camel"):
    group_version: str = ""


class _Group(msgspec.Struct, rename="camel"):
    name: str = ""
    preferred_version: _Preferred = msgspec.field(default_factory=_Preferred)


class _GroupList(msgspec.Struct):
    groups: list[_Group] = []


async def find_resource(api: ClusterApi, name: str) -> ApiResource:
    """Return the resource that a name means: its plural, singular, short name or kind, with or without `.GROUP`.

    Raises:
        NotFound: There is none.
    """
    word, _, group_name = name.lower().partition(".")
    for group in await _groups(api):
        if group_name and not group.startswith(group_name):
            continue
        try:
            listed = await api.get("/api/v1" if group == "v1" else f"/apis/{group}", _ResourceList)
        except PydError:  # a group whose server is down must not hide the others
            continue
        for resource in listed.resources:
            names = {resource.name, resource.singular_name, resource.kind.lower(), *resource.short_names}
            if word in names and "/" not in resource.name and "list" in resource.verbs:
                return msgspec.structs.replace(resource, group=group)
    raise NotFound(f"the cluster has no resource {safe(name)}", reference="no-such-resource")


async def _groups(api: ClusterApi) -> list[str]:
    groups = (await api.get("/apis", _GroupList)).groups[:MAX_GROUPS]
    return ["v1", *(group.preferred_version.group_version for group in groups if group.preferred_version.group_version)]

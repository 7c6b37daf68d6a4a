"""Parts of the API that this engine doesn't serve: it responds with 501, their name and a hint."""

from __future__ import annotations

from pyd_core.daemon.api.encoding import json
from pyd_core.daemon.api.http import HttpRequest, Response
from pyd_core.daemon.api.routes import route, unserved
from pyd_core.daemon.engine import Engine
from pyd_core.errors import EngineError, NotFound

UNSERVED = """
PUT /volumes/{name}
GET /plugins/privileges
POST /plugins/pull
POST /plugins/create
DELETE /plugins/{name}
POST /plugins/{name}/enable
POST /plugins/{name}/disable
POST /plugins/{name}/upgrade
POST /plugins/{name}/push
POST /plugins/{name}/set
GET /nodes
GET /nodes/{id}
DELETE /nodes/{id}
POST /nodes/{id}/update
GET /swarm
POST /swarm/init
POST /swarm/join
POST /swarm/update
GET /swarm/unlockkey
POST /swarm/unlock
GET /services
POST /services/create
GET /services/{id}
DELETE /services/{id}
POST /services/{id}/update
GET /services/{id}/logs
GET /tasks
GET /tasks/{id}
GET /tasks/{id}/logs
GET /secrets
POST /secrets/create
GET /secrets/{id}
DELETE /secrets/{id}
POST /secrets/{id}/update
GET /configs
POST /configs/create
GET /configs/{id}
DELETE /configs/{id}
POST /configs/{id}/update
""".strip().splitlines()

HINTS = {
    "/volumes": "volumes of a cluster need a swarm, and a swarm needs Docker Engine",
    "/plugins": "plugins need Docker Engine",
}
SWARM = "a swarm needs Docker Engine"

for _line in UNSERVED:
    _method, _, _pattern = _line.partition(" ")
    unserved(_method, _pattern, HINTS.get(f"/{_pattern.split('/')[1]}", SWARM))


@route("GET", "/plugins/{name}/json")
async def plugin(engine: Engine, request: HttpRequest) -> Response:
    """Inspect a plugin: there are none. `docker inspect` asks this last of all, and waits for a 404."""
    raise NotFound(f'plugin "{request.params["name"]}" not found')


@route("POST", "/swarm/leave")
async def leave_swarm(engine: Engine, request: HttpRequest) -> Response:
    """Leave the swarm: the engine is in none. Clients that clean up request that and expect this error."""
    raise EngineError("This node is not part of a swarm", status=503)


@route("GET", "/plugins")
async def plugins(engine: Engine, request: HttpRequest) -> Response:
    """List plugins: there are none."""
    return json([])

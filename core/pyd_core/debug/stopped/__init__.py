"""Sessions in what doesn't run: stopped containers and images.

`stage` plans and builds what a runtime would: the layers as a root with a throw-away upper, and namespaces with one
sleeping process in them. That process is then joined as a running container's is (`pyd_core.debug.join`), so a session
there looks and works as in any other. `changes`, `apply` and `save` deal with what the session changed.
"""

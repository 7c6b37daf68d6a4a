"""Settings of property tests: no deadline, since a busy machine is slow."""

from hypothesis import settings

settings.register_profile("pyd", deadline=None, database=None)
settings.load_profile("pyd")

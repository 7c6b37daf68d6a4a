"""Containers: their record, the OCI specification planned from it, and their life from creation to removal."""

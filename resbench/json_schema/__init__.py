"""Describe resbench's YAML as JSON Schema (2020-12), for editors and validators."""

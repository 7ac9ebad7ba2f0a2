"""A Fathom runner that trains networks and measures SAL with PyTorch (docs/runner.md)."""

REVISION = 1
"""Raised by hand when results change; part of the keys of all jobs."""

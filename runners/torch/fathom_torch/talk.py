"""What requests and replies are to the rest of this package (docs/runner.md)."""

from __future__ import annotations

from typing import Any, Callable

Request = dict[str, Any]
"""A request as JSON had it, or a mapping within one."""

Say = Callable[..., None]
"""Says one line, whose fields are the arguments' names."""

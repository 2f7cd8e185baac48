"""Log lines: JSON with an allow-list of keys. No body, no query string, no address of a case, no value of a row.

Our own loggers say what happened with ids and counts, so their words are kept. Of anybody else's line only its
template is kept, without what was filled in; of an error its type and where it came about, never its message: a
database says “Key (phone)=(…)” there.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

OWN = "huying"
EXTRAS = ("status_code", "job", "task")
"""What else a line may carry, when it is a number or a short code."""
LONGEST = 200
FRAMES = 30


class AllowedKeys(logging.Formatter):
    """One line of JSON for each record: `at`, `level`, `logger`, `event`, `route`, `method`, `status_code`, `error`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": _event(record),
        }
        for key in EXTRAS:
            value = getattr(record, key, None)
            if isinstance(value, int) or (isinstance(value, str) and len(value) <= 60):
                line[key] = value
        line |= _route(getattr(record, "request", None))
        if record.exc_info and record.exc_info[1] is not None:
            line |= _error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _event(record: logging.LogRecord) -> str:
    own = record.name == OWN or record.name.startswith(f"{OWN}.")
    return (record.getMessage() if own else str(record.msg))[:LONGEST]


def _route(request: Any) -> dict[str, str]:
    """The pattern of the address, which names no case, and the method."""
    method, match = getattr(request, "method", None), getattr(request, "resolver_match", None)
    route = getattr(match, "route", None)
    return ({"method": method} if isinstance(method, str) else {}) | (
        {"route": route} if isinstance(route, str) else {}
    )


def _error(error: BaseException) -> dict[str, Any]:
    """Type by type down to the cause, the constraint that a database names, and where: files and lines, no values."""
    types, seen = [], set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        types.append(f"{type(at).__module__}.{type(at).__qualname__}")
        constraint = getattr(getattr(at, "diag", None), "constraint_name", None)
        if constraint:
            types.append(str(constraint)[:LONGEST])
        at = at.__cause__ or at.__context__
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {"error": types, "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}

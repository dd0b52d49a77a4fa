import logging
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from app.core.settings import Settings

REDACTED = "[redacted]"
_SECRET_KEY = re.compile(
    r"(^|[-_. ])(authorization|cookies?|tokens?|passwords?|secrets?|credentials?|api[-_]?key|private[-_]?key|"
    r"sealing[-_]?keys?|sealed|identity)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"(?<=bearer )\S+|(?<=basic )\S+|gp_[A-Za-z0-9_-]{43}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
    re.IGNORECASE,
)
_CHATTY = ("uvicorn.access", "httpx2", "httpcore2", "mcp")
"""Libraries that write a line for each request, some with URLs; heard at debug only."""


def configure(settings: Settings, process: str) -> None:
    """One JSON object a line on standard error, ours and every library's; secrets are struck out."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def name_process(_logger: Any, _method: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                name_process,
                redact,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in _CHATTY:
        logging.getLogger(name).setLevel(level if level == logging.DEBUG else logging.WARNING)
    # It writes whole commands at debug, with the documents in them, as one text that cannot be redacted.
    logging.getLogger("pymongo").setLevel(logging.WARNING)


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Strike out members with a secret's name at any depth, and tokens inside any text."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: object, value: object) -> object:
    if isinstance(key, bytes):
        key = key.decode("latin-1")
    if isinstance(key, str) and _SECRET_KEY.search(key) and value is not None:
        return REDACTED
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return _SECRET_VALUE.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {_text(name): _clean(name, item) for name, item in value.items()}
    if isinstance(value, Sequence):
        if len(value) == 2 and isinstance(value[0], str | bytes):  # a header, as ASGI and httpx write them
            return [_text(value[0]), _clean(value[0], value[1])]
        return [_clean(None, item) for item in value]
    return value


def _text(name: object) -> str:
    return name.decode("latin-1") if isinstance(name, bytes) else str(name)

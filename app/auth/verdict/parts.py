"""What the verdicts on servers and on agents have in common. Pure."""

from app.auth.verdict.schemas import Limits, UpstreamPart
from app.core.models import ServerSettings, Transport, Upstream


def upstream_part(
    upstream: Upstream,
    addresses: list[str],
    settings: ServerSettings,
    transport: Transport = "streamable-http",
) -> UpstreamPart:
    """Where an upstream is reached, at these checked addresses, with the timeouts of its entry."""
    return UpstreamPart(
        scheme=upstream.scheme,
        host=upstream.host,
        sni=upstream.hostname,
        target=upstream.target,
        addresses=addresses,
        connect_timeout_ms=_ms(settings.connect_timeout_s),
        read_timeout_ms=_ms(settings.timeout_s),
        total_timeout_ms=settings.total_timeout_s and _ms(settings.total_timeout_s),
        transport=transport,
    )


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def limits_part(settings: ServerSettings) -> Limits | None:
    """What an entry lets through; None for all."""
    limits = Limits(
        caller_rate=settings.rate_limit,
        server_rate=settings.server_rate_limit,
        caller_concurrency=settings.caller_concurrency,
        server_concurrency=settings.concurrency,
    )
    return None if limits == Limits() else limits

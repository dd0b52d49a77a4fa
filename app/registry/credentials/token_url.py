from ipaddress import ip_address

from app.core.models import Upstream
from app.core.problems import Problem
from app.core.settings import Settings
from app.core.ssrf import UpstreamRefused, UpstreamUnresolved, resolve
from app.core.ssrf_addresses import refusal


async def check_token_url(settings: Settings, url: str) -> None:
    """Raise a 422 problem for a token endpoint that Gatepost would not send a client's secret to.

    Plain http is for private networks alone (RFC 6749, 3.2, wants TLS). A name without an address may get one
    later; every request for a token checks it again.
    """
    upstream = Upstream.from_url(url)
    try:
        addresses = await resolve(upstream.hostname, upstream.port, settings.upstream_networks)
    except UpstreamUnresolved:
        addresses = []
    except UpstreamRefused as error:
        raise Problem(422, "upstream-refused", "Gatepost does not connect there", str(error)) from None
    hosts = [ip_address(address.rpartition(":")[0].strip("[]")) for address in addresses]
    private = bool(hosts) and all(refusal(host, ()) for host in hosts)
    if upstream.scheme == "http" and not private:
        detail = f"{upstream.host} would get the client's secret in the clear; use https"
        raise Problem(422, "upstream-refused", "Gatepost does not connect there", detail)

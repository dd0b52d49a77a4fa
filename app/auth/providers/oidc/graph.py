"""Microsoft Graph, where an ID token of Entra has too many groups (more than 200) to hold them."""

from collections.abc import Mapping
from typing import Any

import httpx2

from app.auth.providers.base import ProviderUnavailable
from app.auth.providers.oidc.requests import ProviderRequests

FIRST = "/me/transitiveMemberOf/microsoft.graph.group?$select=id&$top=999"
MOST_PAGES = 20


def has_overage(claims: Mapping[str, Any]) -> bool:
    """Whether the token says that its groups are elsewhere."""
    elsewhere = claims.get("_claim_names")
    return claims.get("hasgroups") in {True, "true"} or (
        isinstance(elsewhere, Mapping) and "groups" in elsewhere
    )


async def groups_of_me(requests: ProviderRequests, graph_url: str, access_token: str) -> list[str]:
    """The ids of the groups that the token's person is in, through other groups too.

    Only the configured address is asked, never one that a token or an answer names.
    Raises ProviderUnavailable.
    """
    found: list[str] = []
    base = graph_url.rstrip("/")
    url: str | None = base + FIRST
    for _ in range(MOST_PAGES):
        if url is None:
            break
        answer = await requests.send("GET", url, headers={"Authorization": f"Bearer {access_token}"})
        if answer.status != httpx2.codes.OK:
            raise ProviderUnavailable(
                f"{requests.provider} has more groups of you than fit into a token, and Microsoft Graph does "
                f"not tell them (status {answer.status}); grant the application User.Read, and have that in "
                "`scopes`"
            )
        found += [
            str(group["id"])
            for group in answer.body.get("value", [])
            if isinstance(group, Mapping) and "id" in group
        ]
        following = answer.body.get("@odata.nextLink")
        url = following if isinstance(following, str) and following.startswith(base + "/") else None
    return found

"""The registry as the shipper sees it."""

from dataclasses import dataclass
from typing import NoReturn

import httpx2

from app.core.settings import Settings

TIMEOUT_S = 30.0


class NotTakenError(Exception):
    """The registry did not take a batch now; the message says why."""


@dataclass(frozen=True)
class Taken:
    """What became of a batch: how many lines were new, and how many are no events."""

    stored: int
    broken: int


class Intake:
    """Sends lines to the registry, with the secret that this gateway has for auth too."""

    def __init__(self, settings: Settings) -> None:
        host = f"[{settings.registry_host}]" if ":" in settings.registry_host else settings.registry_host
        self.url = f"http://{host}:{settings.registry_port}/internal/audit"
        self._settings = settings
        # No proxy that the environment names is shown the secret.
        self._client = httpx2.Client(timeout=TIMEOUT_S, trust_env=False)

    def send(self, lines: bytes) -> Taken:
        """Returns when all are safely kept. Raises NotTakenError: sent again, none is kept twice."""
        headers = {
            "Gatepost-Gateway-Secret": self._settings.secret("gateway_secret") or "",
            "Content-Type": "application/x-ndjson",
        }
        try:
            answer = self._client.post(self.url, content=lines, headers=headers)
            if answer.status_code != 200:
                _refused(answer)
            said = answer.json()
            return Taken(int(said["stored"]), int(said["broken"]))
        except httpx2.HTTPError as error:
            raise NotTakenError(f"{self.url} does not answer: {error or type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise NotTakenError(f"{self.url} answers something else than a registry does") from error


def _refused(answer: httpx2.Response) -> NoReturn:
    try:
        problem = answer.json()
        reason = f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        reason = "without a reason"
    raise NotTakenError(f"{answer.request.url} refuses with status {answer.status_code}: {reason}")

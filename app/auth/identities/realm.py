"""A Keycloak realm, administered by its REST API; blocking calls, to be made off the event loop."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from app.auth.identities.account import RealmError, ServiceAccount, client_document
from app.core.models.identity_provider import OidcProviderConfig
from app.core.settings import Settings

if TYPE_CHECKING:
    from keycloak import KeycloakAdmin

TIMEOUT_S = 10
Result = TypeVar("Result")


class Realm:
    """The realm of one provider of the type `keycloak`, as its `administration` may see and change it."""

    def __init__(self, config: OidcProviderConfig, settings: Settings) -> None:
        """Raises RealmError where the provider is not one that can be administered."""
        server, _, realm = config.issuer.partition("/realms/")
        if config.administration is None or not realm:
            raise RealmError(
                f"{config.name} has no administration; give its block a service account of the realm there"
            )
        self._config, self._administration = config, config.administration
        self.issuer = config.issuer
        self._server, self._realm = server, realm.rstrip("/")
        self._verify = str(settings.upstream_ca_file) if settings.upstream_ca_file else True

    def users(self, search: str, first: int, limit: int) -> list[dict[str, Any]]:
        """Users whose name or mail fits `search`: `username`, `name`, `mail`, `enabled`."""
        query = {"first": first, "max": limit, **({"search": search} if search else {})}
        found = self._do(lambda admin: admin.get_users(query))
        return [
            {
                "id": user["id"],
                "username": user["username"],
                "name": " ".join(filter(None, (user.get("firstName"), user.get("lastName")))),
                "mail": user.get("email", ""),
                "enabled": bool(user.get("enabled")),
            }
            for user in found
        ]

    def groups(self) -> list[str]:
        """The paths of all groups of the realm."""
        return sorted(self._do(_paths))

    def account(self, client_id: str) -> ServiceAccount | None:
        """An agent's service account; None where the realm has no such client."""

        def look(admin: "KeycloakAdmin") -> ServiceAccount | None:
            id = admin.get_client_id(client_id)
            if id is None:
                return None
            user = admin.get_client_service_account_user(id)["id"]
            return ServiceAccount(client_id, sorted(group["path"] for group in _groups_of(admin, user)))

        return self._do(look)

    def make(self, client_id: str, name: str, groups: Sequence[str]) -> ServiceAccount:
        """Make the service account, or bring the one that is there to these groups (paths)."""
        return self._do(lambda admin: self._make(admin, client_id, name, groups))

    def rotate(self, client_id: str) -> ServiceAccount | None:
        """Give the account a new secret; the old one ends at once."""

        def work(admin: "KeycloakAdmin") -> ServiceAccount | None:
            id = admin.get_client_id(client_id)
            if id is None:
                return None
            return ServiceAccount(client_id, [], admin.generate_client_secrets(id)["value"])

        return self._do(work)

    def remove(self, client_id: str) -> None:
        """Take the account away, where it is there."""

        def work(admin: "KeycloakAdmin") -> None:
            if (id := admin.get_client_id(client_id)) is not None:
                admin.delete_client(id)

        self._do(work)

    def _make(
        self, admin: "KeycloakAdmin", client_id: str, name: str, groups: Sequence[str]
    ) -> ServiceAccount:
        there = set(_paths(admin))
        known = {path: admin.get_group_by_path(path)["id"] for path in groups if path in there}
        if missing := [path for path in groups if path not in known]:
            raise RealmError(f"the realm {self._realm} has no group {', '.join(missing)}; make it there")
        id = admin.get_client_id(client_id)
        made = id is None
        if id is None:
            id = admin.create_client(client_document(self._config, client_id, name))
        user = admin.get_client_service_account_user(id)["id"]
        for group in _groups_of(admin, user):
            if group["path"] not in known:
                admin.group_user_remove(user, group["id"])
        for group_id in known.values():
            admin.group_user_add(user, group_id)
        secret = admin.get_client_secrets(id)["value"] if made else None
        return ServiceAccount(client_id, sorted(known), secret)

    def _do(self, work: "Callable[[KeycloakAdmin], Result]") -> Result:
        try:
            from keycloak import KeycloakAdmin, KeycloakOpenIDConnection  # noqa: PLC0415  (half a second)
            from keycloak.exceptions import KeycloakError  # noqa: PLC0415
        except ImportError:
            raise RealmError("python-keycloak is not installed; install gatepost[keycloak]") from None
        where = f"Keycloak at {self._server}, realm {self._realm}"
        try:
            connection = KeycloakOpenIDConnection(
                server_url=self._server,
                realm_name=self._realm,
                client_id=self._administration.client_id,
                client_secret_key=self._administration.client_secret_file.read_text().strip(),
                verify=self._verify,
                timeout=TIMEOUT_S,
            )
            return work(KeycloakAdmin(connection=connection))
        except KeycloakError as error:
            raise RealmError(f"{where}: {_reason(error.response_code)}") from None
        except OSError as error:  # requests' own errors are among these
            reason = error.strerror or type(error).__name__
            if error.filename:
                reason = f"{error.filename}: {reason}"
            raise RealmError(f"{where} cannot be used: {reason}") from None


def _reason(status: int | None) -> str:
    if status in {400, 401}:
        return "the service account of administration is refused; check its client_id and secret"
    if status == 403:
        return "the service account of administration lacks manage-users or manage-clients"
    return f"it answers with status {status}" if status else "it does not answer"


def _groups_of(admin: "KeycloakAdmin", user: str) -> list[dict[str, Any]]:
    return list(admin.get_user_groups(user))


def _paths(admin: "KeycloakAdmin") -> list[str]:
    def below(groups: Iterable[dict[str, Any]]) -> Iterator[str]:
        for group in groups:
            yield str(group["path"])
            yield from below(group.get("subGroups", ()))

    return list(below(admin.get_groups(full_hierarchy=True)))

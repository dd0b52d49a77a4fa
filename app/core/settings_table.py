from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from app.core.settings import Settings
from app.core.settings_environment import FILE_SUFFIX, variable


@dataclass(frozen=True)
class SettingRow:
    """One setting as `gatepost settings` shows it; values are left out, since some are secret.

    `origin` is "default", "environment" or "file".
    """

    variable: str
    default: str
    description: str
    secret: bool
    origin: str


def settings_table(environ: Mapping[str, str]) -> list[SettingRow]:
    """Every setting in the order of its declaration, and where its current value comes from."""
    rows = []
    for name, field in Settings.model_fields.items():
        secret = field.annotation == SecretStr | None
        rows.append(
            SettingRow(
                variable=variable(name),
                default=_shown(field.default),
                description=field.description or "",
                secret=secret,
                origin=_origin(environ, variable(name), secret),
            )
        )
    return rows


def _origin(environ: Mapping[str, str], name: str, secret: bool) -> str:
    if secret and environ.get(name + FILE_SUFFIX):
        return "file"
    return "environment" if environ.get(name) else "default"


def _shown(default: object) -> str:
    return "" if default is None or default == [] else str(default)

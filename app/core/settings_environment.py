"""From environment variables to the values of settings, with errors that name the variable."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from app.core.secret_files import SecretFile

PREFIX = "GATEPOST_"
FILE_SUFFIX = "_FILE"
"""A secret setting may be given as the path of a file: `GATEPOST_GATEWAY_SECRET_FILE`."""


class SettingsError(Exception):
    """A setting cannot be used; the message names the variable, the reason and the fix."""


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + field.upper()


def read_environment(
    environ: Mapping[str, str], fields: Iterable[str], secrets: Collection[str]
) -> tuple[dict[str, str], dict[str, SecretFile]]:
    """The values given directly, and the secrets given as files, both by field; an empty variable is not set.

    Raises SettingsError for an unknown variable, a secret given twice and a file that cannot be read.
    """
    direct = {variable(field): field for field in fields}
    by_file = {variable(field) + FILE_SUFFIX: field for field in secrets}
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}
    for name in given:
        if name not in direct and name not in by_file:
            raise SettingsError(_unknown(name, [*direct, *by_file]))
    files = {
        field: _secret_file(name, given[name], variable(field) in given)
        for name, field in by_file.items()
        if name in given
    }
    return {direct[name]: value for name, value in given.items() if name in direct}, files


def as_settings_error(error: ValidationError) -> SettingsError:
    """One sentence for each setting that was refused, without the values (some are secret)."""
    sentences = []
    for found in error.errors(include_url=False, include_input=False):
        reason = found["msg"].removeprefix("Value error, ")
        names = [variable(str(part)) for part in found["loc"] if not isinstance(part, int)][:1]
        sentences.append(": ".join([*names, reason]))
    return SettingsError("; ".join(dict.fromkeys(sentences)))


def _unknown(name: str, known: list[str]) -> str:
    nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0]
    return f"{name} is no setting of Gatepost; did you mean {nearest}? `gatepost settings` lists them all"


def _secret_file(name: str, value: str, given_directly: bool) -> SecretFile:
    if given_directly:
        raise SettingsError(f"{name} and {name.removesuffix(FILE_SUFFIX)} are both set; keep one of them")
    try:
        return SecretFile(Path(value))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{name}: {value} cannot be read ({reason}); name a readable file") from None

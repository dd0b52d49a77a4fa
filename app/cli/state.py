"""The state folder of a local Gatepost: who may read it, and the secrets that lie in it."""

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.cli.output import CliError

DEFAULT = Path(".gatepost")


@dataclass(frozen=True)
class StateFolder:
    """`path` is absolute. Everything in it is the user's own: 0700, secrets 0600."""

    path: Path

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> "StateFolder":
        """The folder that GATEPOST_STATE_DIR names, else `.gatepost` in the current folder."""
        return cls(Path(environ.get("GATEPOST_STATE_DIR") or DEFAULT).absolute())

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.path / "logs"

    @property
    def nginx(self) -> Path:
        """NGINX's own prefix."""
        return self.path / "nginx"

    @property
    def run_file(self) -> Path:
        """What runs now."""
        return self.path / "run.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one `up` of this folder."""
        return self.path / "lock"

    def secret(self, name: str) -> Path:
        """The file of one secret."""
        return self.path / "secrets" / name

    def prepare(self) -> None:
        """Make the folder and its parts with mode 0700. Raises CliError where it cannot be used."""
        try:
            for folder in (self.path, self.path / "secrets", self.logs, self.nginx):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            self.secret(".").chmod(0o700)
            next(self.path.iterdir(), None)
            if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(13, "not readable and writable for this user", str(self.path))
        except OSError as error:
            raise CliError(
                f"the state folder {self.path} cannot be used: {error.strerror}. "
                "Run as its owner, or name another folder by GATEPOST_STATE_DIR."
            ) from error

    def write_secret(self, name: str, value: str) -> Path:
        """Write a secret as a file of mode 0600, never readable for others in between."""
        target = self.secret(name)
        fresh = target.with_name(f".{name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(value + "\n")
        fresh.replace(target)
        return target

    def read_secret(self, name: str) -> str | None:
        """None where there is no such file. Raises CliError where it cannot be read."""
        try:
            return self.secret(name).read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CliError(
                f"{self.secret(name)} cannot be read: {error.strerror}. Run as its owner."
            ) from error

    def make_keys(self) -> None:
        """The gateway's secret and the sealing key, generated where they are missing, kept otherwise."""
        if self.read_secret("gateway_secret") is None:
            self.write_secret("gateway_secret", secrets.token_urlsafe(32))
        if self.read_secret("sealing_keys") is None:
            self.write_secret("sealing_keys", base64.b64encode(secrets.token_bytes(32)).decode())

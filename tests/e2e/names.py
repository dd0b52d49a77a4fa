"""Names of a test's own, in place of a DNS server: each process of a Gatepost reads them from one file."""

import json
from pathlib import Path

from tests.e2e.stack import CHECKOUT

# Python runs a module of this name at its start.
PATCH = """
import json, socket
from pathlib import Path

real = socket.getaddrinfo

def getaddrinfo(host, port, *more, **named):
    names = json.loads(Path({file!r}).read_text())
    if host not in names:
        return real(host, port, *more, **named)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in names[host]]

socket.getaddrinfo = getaddrinfo
"""


class Names:
    """A folder for PYTHONPATH, and the names in it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "names.json"
        self.path = f"{folder}:{CHECKOUT}"
        self._names: dict[str, list[str]] = {}
        self.set({})
        (folder / "sitecustomize.py").write_text(PATCH.format(file=str(self._file)))

    def set(self, names: dict[str, list[str]]) -> None:
        """These and those before, from the next look-up on."""
        self._names |= names
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._names))
        new.replace(self._file)

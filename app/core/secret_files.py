from pathlib import Path


class SecretFile:
    """A secret in a file, read again when the file was replaced or rewritten.

    While the file is away, as in the middle of a rotation, the last value read goes on being used.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file once; raises OSError where it cannot be read."""
        self.path = path
        self._seen = self._state()
        self._value = self._text()

    def read(self) -> str:
        """The file's text without surrounding white space."""
        try:
            state = self._state()
            if state != self._seen:
                self._value = self._text()
                self._seen = state
        except OSError:
            return self._value
        return self._value

    def _state(self) -> tuple[int, int, int]:
        found = self.path.stat()
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _text(self) -> str:
        return self.path.read_text(encoding="utf-8").strip()

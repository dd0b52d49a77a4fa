"""How far each file was sent, kept on disk."""

import json
from pathlib import Path

from app.cli.output import CliError

Places = dict[str, int]
"""By a file's key: all before this offset is safe at the registry."""


def load(path: Path) -> Places:
    """The places of an earlier run; none where there is no sound file: lines that come twice are kept once.

    Raises CliError where it is there and cannot be read.
    """
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        return {}
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}. Run as its owner.") from error
    sent = found.get("sent") if isinstance(found, dict) else None
    if not isinstance(sent, dict):
        return {}
    return {key: offset for key, offset in sent.items() if isinstance(offset, int) and offset >= 0}


def save(path: Path, places: Places) -> None:
    """Replace the file in one step. Raises OSError.

    After a loss of power it may be an older one, or empty: then lines are sent again.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps({"sent": places}))
    fresh.replace(path)

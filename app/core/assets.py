from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def path(*parts: str) -> Path:
    """A file that ships with Gatepost, e.g. `path("nginx", "lua")`: from the wheel or the checkout.

    Raises FileNotFoundError where neither has it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        found = root.joinpath(*parts)
        if found.exists():
            return found
    name = "/".join(parts)
    raise FileNotFoundError(f"{name} is not in this installation of Gatepost; install it again")

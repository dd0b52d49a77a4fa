import pytest

from app.core import assets


def test_what_ships_with_gatepost_is_found() -> None:
    assert (assets.path("nginx", "lua") / "gatepost").is_dir()


def test_what_is_missing_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nginx/nothing\.conf is not in this installation"):
        assets.path("nginx", "nothing.conf")

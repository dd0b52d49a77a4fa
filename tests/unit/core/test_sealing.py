import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.sealing import Sealer, SealError
from app.core.settings import Settings, load_settings

KEY, OTHER = b"k" * 32, b"o" * 32
SEALED = Sealer([KEY]).seal(b"secret 1", "credential/a")


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_was_sealed_opens_again(plain: bytes, context: str) -> None:
    sealer = Sealer([KEY])
    assert sealer.open(sealer.seal(plain, context), context) == plain


@given(st.data())
def test_what_was_altered_does_not_open(data: st.DataObject) -> None:
    sealer = Sealer([KEY])
    place = data.draw(st.integers(0, len(SEALED) - 1))
    letter = data.draw(st.sampled_from("Ab0-_.=").filter(lambda letter: letter != SEALED[place]))
    altered = SEALED[:place] + letter + SEALED[place + 1 :]
    with pytest.raises(SealError) as refused:
        sealer.open(altered, "credential/a")
    assert "secret" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_other_text_does_not_open(text: str) -> None:
    with pytest.raises(SealError):
        Sealer([KEY]).open(text, "c")


def test_a_seal_opens_for_its_own_context_only() -> None:
    sealer = Sealer([KEY])
    with pytest.raises(SealError, match="credential/b"):
        sealer.open(sealer.seal(b"x", "credential/a"), "credential/b")


def test_the_same_text_is_never_sealed_alike() -> None:
    sealer = Sealer([KEY])
    assert len({sealer.seal(b"x", "c") for _ in range(50)}) == 50


def test_the_first_key_seals_and_all_open() -> None:
    before = Sealer([KEY]).seal(b"x", "c")
    rotated = Sealer([OTHER, KEY])
    assert rotated.open(before, "c") == b"x"
    with pytest.raises(SealError, match="add that key to GATEPOST_SEALING_KEYS"):
        Sealer([KEY]).open(rotated.seal(b"x", "c"), "c")


@pytest.mark.parametrize("text", [None, "", "c2hvcnQ=", "not base64!"])
def test_keys_that_cannot_be_used_are_refused_with_the_fix(text: str | None) -> None:
    with pytest.raises(SealError, match="openssl rand -base64 32"):
        Sealer.from_settings(Settings.model_validate({"sealing_keys": text}))


def test_a_key_that_is_too_short_is_not_in_the_error() -> None:
    with pytest.raises(SealError) as refused:
        Sealer([b"a short secret"])
    assert "short secret" not in str(refused.value)


def test_a_changed_key_file_is_followed(tmp_path: Path) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    file = tmp_path / "keys"
    file.write_text(old)
    sealer = Sealer.from_settings(load_settings({"GATEPOST_SEALING_KEYS_FILE": str(file)}))
    before = sealer.seal(b"x", "c")
    file.write_text(f"{new},{old}\n")
    assert sealer.open(before, "c") == b"x"
    assert Sealer([base64.b64decode(new)]).open(sealer.seal(b"y", "c"), "c") == b"y"

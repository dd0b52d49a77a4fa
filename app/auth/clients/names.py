import unicodedata

LONGEST = 100
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of what has no glyph: controls, marks that turn the direction of text, halves of pairs."""


def clean_name(value: str) -> str:
    """A name that somebody chose, fit to be shown to others: one line, nothing unseen, not too long."""
    seen = "".join(" " if unicodedata.category(letter) in _UNSEEN else letter for letter in value)
    return " ".join(unicodedata.normalize("NFC", seen).split())[:LONGEST].rstrip()

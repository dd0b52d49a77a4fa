"""What a login takes from the browser: where to go next, and whether the form is really ours. Pure."""

import re

HOME = "/ui"
LONGEST = 4000
"""An authorization request goes through a login as `next`, in a cookie of at most 4 KiB."""
_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def local_path(wanted: str) -> str:
    r"""A path on this gateway to go to after the login; the home page for anything else.

    A browser takes `//host`, `/\host` and `/<tab>/host` for another host: there is no backslash, space or
    control character in what is accepted.
    """
    return wanted if len(wanted) <= LONGEST and _LOCAL_PATH.fullmatch(wanted) else HOME


def is_same_origin(public_url: str, origin: str | None, site: str | None) -> bool:
    """Whether a form was sent from our own page, by `Origin` or else `Sec-Fetch-Site`; neither is a no.

    A page with a strict referrer policy sends `Origin: null`, which says nothing.
    """
    if origin is not None and origin != "null":
        return origin == public_url
    return site == "same-origin"

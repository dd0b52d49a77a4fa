"""A person without a browser: logs in by the login page's form, and allows by the consent page's."""

import re
from dataclasses import dataclass, field
from html import unescape

import httpx2

from tests.e2e.stack import Stack


@dataclass
class ByForm:
    """The local administrator; `pages` are the consent pages that were shown. Give it as a `Person`."""

    stack: Stack
    scopes: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)

    def __call__(self, address: str) -> None:
        """Log in and do what the pages ask for, until the client has its answer."""
        with httpx2.Client(timeout=30, headers={"Origin": self.stack.url}) as http:
            asked = http.get(address)
            page = http.get(self.stack.url + self._logged_in(http, asked.headers["location"]))
            self.pages.append(page.text)
            form = {
                "request": _field(page.text, "request"),
                "decision": "allow",
                "reach": "chosen" if self.scopes else "all",
                "scope": self.scopes,
            }
            answer = http.post(f"{self.stack.url}/oauth/consent", data=form)
            assert answer.is_redirect, answer.text
            http.get(answer.headers["location"])

    def _logged_in(self, http: httpx2.Client, place: str) -> str:
        page = http.get(self.stack.url + place)
        password = self.stack.file("secrets", "admin_password").read_text().strip()
        form = {"username": "admin", "password": password, "next": _field(page.text, "next")}
        answer = http.post(f"{self.stack.url}/login", data=form)
        assert answer.is_redirect, answer.text
        return answer.headers["location"]


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])

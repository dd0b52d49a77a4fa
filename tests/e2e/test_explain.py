"""What `scope explain` says is what the gateway does; and groups of providers, mapped while people call."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.beside import person
from tests.e2e.calling import call
from tests.e2e.recorder import Recorder
from tests.e2e.stack import Stack, until

pytestmark = pytest.mark.e2e
ODD_GROUP = "/Finanz Abteilung/ä & b=c#%2F?+"


def explained(stack: Stack, *asked: str) -> dict[str, Any]:
    return dict(json.loads(stack.command("scope", "explain", *asked, "--json").stdout))


def scope(stack: Stack, name: str, group: str, *tools: str) -> None:
    grant = {"server": "explained", "methods": ["tools/call"], "tools": list(tools)}
    stack.api("POST", "/api/scopes", {"name": name, "groups": [group], "servers": [grant]}, expect=201)


@pytest.fixture(scope="module")
def server(stack: Stack, recorder: Recorder) -> None:
    stack.register("explained", recorder.url)
    scope(stack, "explained-one", "ex-one", "a", "b")
    scope(stack, "explained-all", "ex-all", "*")


@pytest.mark.parametrize("groups", [("ex-one",), ("ex-all",), ("ex-one", "ex-all"), ("others",), ()])
def test_what_is_explained_is_what_the_gateway_does(
    stack: Stack, server: None, upstream: Recorder, groups: tuple[str, ...]
) -> None:
    subject = f"other:{'-'.join(groups) or 'nobody'}"
    token = person(stack, subject, *groups)
    for tool in ("a", "c"):
        found = explained(stack, "--subject", subject, "--server", "explained", "--tool", tool)
        assert found["allowed"] == (call(stack, "explained", token, tool) == "ran")
        assert found["allowed"] == bool(found["by"])


def test_a_group_counts_as_it_is_mapped_within_two_seconds(
    stack: Stack, server: None, upstream: Recorder
) -> None:
    token = person(stack, "other:odd", ODD_GROUP)
    assert call(stack, "explained", token, "a") == "server"
    mapped = stack.command("group", "map", "other", ODD_GROUP, "ex-one")
    assert "warning: no identity provider is called other" in mapped.stderr
    until(lambda: call(stack, "explained", token, "a") == "ran", 2.5, "the mapping")
    assert f"other     {ODD_GROUP}  ex-one" in stack.command("group", "list").stdout
    stack.command("group", "unmap", "other", ODD_GROUP)
    until(lambda: call(stack, "explained", token, "a") == "server", 2.5, "its end")


def test_a_group_of_a_provider_makes_no_administrator_by_its_name(stack: Stack) -> None:
    token = person(stack, "other:sly", "admins", "*")
    stack.api("GET", "/api/scopes", token=token, expect=403)


def test_an_explanation_for_people_says_who_why_and_what_would_help(stack: Stack, server: None) -> None:
    person(stack, "other:anna", "ex-one")
    asked = ("--subject", "other:anna", "--server", "explained", "--tool")
    allowed = stack.command("scope", "explain", *asked, "a").stdout.splitlines()
    assert allowed[0] == "allowed: other:anna, in ex-one"
    assert allowed[1] == "  by the scope explained-one, for ex-one"
    refused = stack.command("scope", "explain", *asked, "c").stdout
    assert "not allowed: other:anna, in ex-one" in refused
    assert "  not by explained-one: it names the tools a, b, not c\n" in refused
    assert "  would help: one of the groups ex-all (scope explained-all)\n" in refused


def test_a_dry_run_says_what_a_scope_would_give_before_it_is_saved(
    stack: Stack, server: None, tmp_path: Path
) -> None:
    draft = tmp_path / "draft.json"
    grant = {"server": "explained", "methods": ["tools/call"], "tools": ["c"]}
    draft.write_text(json.dumps({"name": "explained-new", "groups": ["ex-one"], "servers": [grant]}))
    asked = ("--group", "ex-one", "--server", "explained", "--tool", "c")
    shown = stack.command("scope", "explain", *asked, "--draft", str(draft)).stdout
    for line in (
        "allowed: anybody, in ex-one",
        "before: not allowed",
        "  gained: tools/call on explained: c",
    ):
        assert f"{line}\n" in shown
    assert explained(stack, *asked)["allowed"] is False


def test_the_last_administrator_keeps_their_scope(stack: Stack) -> None:
    refused = stack.command("scope", "rm", "admins", expect=1).stderr
    assert "It would lock out the last administrator" in refused
    assert stack.api("GET", "/api/scopes/admins", expect=200)


def test_an_administrator_ends_a_token_of_somebody_else(
    stack: Stack, server: None, upstream: Recorder
) -> None:
    token = person(stack, "other:lost", "ex-all")
    assert call(stack, "explained", token, "a") == "ran"
    (listed,) = json.loads(stack.command("token", "list", "--subject", "other:lost", "--json").stdout)
    stack.command("token", "revoke", listed["id"], "--subject", "other:lost")
    until(lambda: call(stack, "explained", token, "a") == "revoked", 2.5, "the revocation")

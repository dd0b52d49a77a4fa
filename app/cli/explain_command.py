"""`gatepost scope explain`."""

from typing import Annotated, Any

import typer

from app.cli.api import connect
from app.cli.documents import read_document
from app.cli.options import Json, TokenFile, Url
from app.cli.output import CliError, show, show_json

Words = list[str] | None


def explain(
    *,
    subject: Annotated[
        str | None, typer.Option(help="somebody who logged in once, e.g. local:admin; default: you")
    ] = None,
    group: Annotated[Words, typer.Option(help="in place of a subject: anybody in this group")] = None,
    anybody: Annotated[
        bool, typer.Option("--anybody", help="somebody in no group: shows whom each scope is for")
    ] = False,
    scope: Annotated[Words, typer.Option(help="their token is narrowed to this scope")] = None,
    server: Annotated[str | None, typer.Option(help="the server it is about")] = None,
    method: Annotated[str | None, typer.Option(help="a method of MCP, e.g. tools/list")] = None,
    tool: Annotated[str | None, typer.Option(help="a tool that is called")] = None,
    prompt: Annotated[str | None, typer.Option(help="a prompt that is got")] = None,
    resource: Annotated[str | None, typer.Option(help="the URI of a resource that is read")] = None,
    agent: Annotated[str | None, typer.Option(help="the agent it is about")] = None,
    action: Annotated[str | None, typer.Option(help="on the agent: read, or invoke")] = None,
    registry: Annotated[str | None, typer.Option(help="an action at the API, e.g. servers:write")] = None,
    draft: Annotated[Words, typer.Option(help="a scope's JSON file, as if it were saved")] = None,
    without: Annotated[Words, typer.Option(help="a scope, as if it were deleted")] = None,
    json: Json = False,
    url: Url = None,
    token_file: TokenFile = None,
) -> None:
    """Who may do something, and by which scope, or why not; also as a dry run, which saves nothing."""
    if anybody and group:
        raise CliError("give either --anybody or --group")
    asked = {
        "subject": subject,
        "groups": [] if anybody else group,
        "scopes": scope,
        "server": server,
        "method": method,
        "tool": tool,
        "prompt": prompt,
        "resource": resource,
        "agent": agent,
        "action": action,
        "registry": registry,
        "draft": [read_document(source) for source in draft or []] or None,
        "without": without,
    }
    with connect(url, token_file) as api:
        body = {name: value for name, value in asked.items() if value is not None}
        answer = api.post("/api/scopes/explain", body)
    if json:
        show_json(answer)
        return
    for line in lines(answer):
        show(line)


def lines(answer: dict[str, Any]) -> list[str]:
    """An explanation for people."""
    who = answer["subject"] or "anybody"
    groups = ", ".join(answer["groups"]) or "no group"
    found = [f"{'allowed' if answer['allowed'] else 'not allowed'}: {who}, in {groups}"]
    found += [f"  by the scope {by['scope']}, for {', '.join(by['groups'])}" for by in answer["by"]]
    found += [f"  stopped: {obstacle['detail']}" for obstacle in answer["obstacles"]]
    if not answer["by"]:
        found += [f"  not by {near['scope']}: {_reasons(near)}" for near in answer["near"]]
        found += [f"  would help: {_help(scope)}" for scope in answer["would_help"]]
        if not answer["near"]:
            found.append("  no scope is about it")
    if difference := answer.get("difference"):
        found.append(f"before: {'allowed' if difference['allowed_before'] else 'not allowed'}")
        for word in ("gained", "lost"):
            found += [f"  {word}: {right}" for right in _rights(difference[word])]
    return found


def _reasons(near: dict[str, Any]) -> str:
    return "; ".join(lack["detail"] for lack in near["lacks"])


def _help(scope: dict[str, Any]) -> str:
    ways = []
    if scope["groups"]:
        ways.append(f"one of the groups {', '.join(scope['groups'])}")
    if scope["token"]:
        ways.append(f"a token that is not narrowed, or names {scope['scope']}")
    return f"{' and '.join(ways)} (scope {scope['scope']})"


def _rights(rights: dict[str, Any]) -> list[str]:
    servers = [
        f"{method} on {slug}{': ' + ', '.join(names) if names else ''}"
        for slug, methods in rights["servers"].items()
        for method, names in methods.items()
    ]
    agents = [f"{', '.join(actions)} on the agent {slug}" for slug, actions in rights["agents"].items()]
    places = (("registry", "servers"), ("registry_agents", "agents"))
    registry = [
        f"{', '.join(actions)} at the registry, {kind} {slug}"
        for member, kind in places
        for slug, actions in rights[member].items()
    ]
    return [*servers, *agents, *registry]

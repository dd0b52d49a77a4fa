"""What a Python client sees at a server; the clients of both SDKs have these methods."""

from typing import Any


async def use(mcp: Any, error: type[Exception], is_error: str) -> dict[str, Any]:
    """Use all that the server has; `error` is what the SDK raises, `is_error` a result's name for it."""
    progress: list[float] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async def text(tool: str, **arguments: int) -> str:
        return (await mcp.call_tool(tool, arguments)).content[0].text

    async def text_or_error(tool: str) -> str:
        try:
            return await text(tool)
        except error as refusal:
            return str(refusal)

    return {
        "tools": [tool.name for tool in (await mcp.list_tools()).tools],
        "sum": await text("add", a=2, b=3),
        "large": await text("add", a=9007199254740993, b=2),
        "ticks": (await mcp.call_tool("ticks", {"count": 3}, progress_callback=note)).content[0].text,
        "progress": progress,
        "failed": getattr(await mcp.call_tool("fail", {}), is_error),
        "refused": await text_or_error("secret_note"),
        "sum_after": await text("add", a=1, b=1),
        "asked": await text_or_error("ask"),
        "interrupted": await text("interrupted"),
        "prompts": [prompt.name for prompt in (await mcp.list_prompts()).prompts],
        "prompt": (await mcp.get_prompt("greeting", {"name": "Ada"})).messages[0].content.text,
        "resources": [str(resource.uri) for resource in (await mcp.list_resources()).resources],
        "resource": (await mcp.read_resource("note://today")).contents[0].text,
    }

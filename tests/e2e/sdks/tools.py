"""What the Python servers here offer, in either SDK; each asks its user in its own way."""

import asyncio
from typing import Any


def offer(server: Any, context: type) -> None:
    """Add the tools, the prompt and the resource; `context` is the type by which the SDK hands in its own."""

    @server.tool()
    def add(a: int, b: int) -> int:
        return a + b

    @server.tool()
    def secret_note() -> str:
        return "the note"

    @server.tool()
    def fail() -> str:
        raise ValueError("deliberate failure")

    @server.tool()
    async def ticks(count: int, ctx: context) -> str:
        for number in range(1, count + 1):
            await ctx.report_progress(number, count)
            await asyncio.sleep(0.01)
        return "done"

    @server.tool()
    async def interrupted(ctx: context) -> str:
        """Ends its stream before its answer, which the client has to come back for."""
        await ctx.close_sse_stream()
        await asyncio.sleep(0.01)
        return "done"

    @server.prompt()
    def greeting(name: str) -> str:
        return f"Say hello to {name}."

    @server.resource("note://today")
    def today() -> str:
        return "nothing special"

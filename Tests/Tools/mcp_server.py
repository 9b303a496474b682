"""A server of the Python SDK with tools to test clients with.

usage: mcp_server.py LOG stdio
       mcp_server.py LOG http PORT [--json] [--stateless]

Appends to LOG what only the server can know, a line each.
"""

import asyncio
import atexit
import os
import sys

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel

LOG = sys.argv[1]
server = MCPServer("tests", version="1")


def note(line):
    with open(LOG, "a", encoding="utf-8") as file:
        file.write(line + "\n")


class Place(BaseModel):
    name: str
    people: int


@server.tool(description="Adds two numbers.", annotations=ToolAnnotations(read_only_hint=True))
def add(a: int, b: int) -> str:
    note("add %d %d" % (a, b))
    return "the sum is %d" % (a + b)


@server.tool(description="Tells what it knows of a place.")
def place(name: str) -> Place:
    return Place(name=name, people=42)


@server.tool(description="Fails.")
def fail() -> str:
    raise ToolError("the shop is closed")


@server.tool(description="Draws.")
def draw() -> Image:
    return Image(data=b"\x89PNG", format="png")


@server.tool(description="Takes long and says how far it is.")
async def slow(context: Context) -> str:
    note("slow began")
    try:
        for step in range(100):
            await context.report_progress(step, 100, "step %d" % step)
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        note("slow was cancelled")
        raise
    return "slow is done"


@server.tool(description="Ends the server.")
def die() -> str:
    note("dies")
    os._exit(3)


@server.tool(description="Tells a variable of the environment.")
def variable(name: str) -> str:
    return os.environ.get(name, "not set")


@server.tool(name="a.name/with signs", description="Has a name that models cannot be told.")
def signs() -> str:
    return "signs"


note("began")
atexit.register(note, "ended")
if sys.argv[2] == "stdio":
    print("the server complains a little", file=sys.stderr)
    server.run("stdio")
else:
    server.run(
        "streamable-http",
        port=int(sys.argv[3]),
        json_response="--json" in sys.argv,
        stateless_http="--stateless" in sys.argv,
    )

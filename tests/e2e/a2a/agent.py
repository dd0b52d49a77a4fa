"""An A2A agent by the official SDK, with both bindings, and the official client of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import jwt
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.helpers.proto_helpers import (
    new_task_from_user_message,
    new_text_artifact_update_event,
    new_text_message,
    new_text_status_update_event,
)
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandlerV2
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryPushNotificationConfigStore, InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Role, TaskState
from a2a.utils.signing import create_agent_card_signer
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tests.e2e.servers import serving

JSONRPC, REST = "JSONRPC", "HTTP+JSON"


class Counting(AgentExecutor):
    """Counts as far as it is told; `wait` goes on until it is cancelled; anything else is repeated."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        text = context.get_user_input()
        if text.startswith(("count ", "wait")):
            await self._count(text, context, event_queue)
        else:
            await event_queue.enqueue_event(new_text_message(f"you said: {text}", role=Role.ROLE_AGENT))

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await self._end(event_queue, context, TaskState.TASK_STATE_CANCELED)

    async def _count(self, text: str, context: RequestContext, event_queue: EventQueue) -> None:
        task = new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        number = 0
        while text == "wait" or number < int(text.removeprefix("count ")):
            event = new_text_artifact_update_event(
                task.id, task.context_id, "numbers", str(number), append=number > 0, artifact_id="numbers"
            )
            await event_queue.enqueue_event(event)
            number += 1
            await asyncio.sleep(0.02)
        await self._end(event_queue, context, TaskState.TASK_STATE_COMPLETED)

    async def _end(self, queue: EventQueue, context: RequestContext, state: TaskState) -> None:
        await queue.enqueue_event(
            new_text_status_update_event(context.task_id, context.context_id, state, "ended")
        )


@dataclass
class Agent:
    """`received` has the headers of each request, by lower-case name."""

    origin: str
    card: AgentCard
    received: list[dict[str, str]] = field(default_factory=list)


def card_of(origin: str, tenant: str = "") -> AgentCard:
    """A card without signatures, whose interfaces are at this origin."""
    return AgentCard(
        name="Counter",
        description="Counts",
        version="1.0.0",
        supported_interfaces=[
            AgentInterface(
                url=f"{origin}/rpc", protocol_binding=JSONRPC, protocol_version="1.0", tenant=tenant
            ),
            AgentInterface(
                url=f"{origin}/rest/", protocol_binding=REST, protocol_version="1.0", tenant=tenant
            ),
            AgentInterface(url="127.0.0.1:1", protocol_binding="GRPC", protocol_version="1.0"),
        ],
        capabilities=AgentCapabilities(streaming=True, push_notifications=True, extended_agent_card=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="count", name="Count", description="Counts up", tags=["numbers"])],
    )


@contextlib.contextmanager
def running(tenant: str = "") -> Iterator[Agent]:
    """Run the agent on a free port; its public card is signed by itself."""
    card, extended = card_of("http://later.invalid", tenant), card_of("http://later.invalid", tenant)
    extended.skills.append(AgentSkill(id="secret", name="Secret", description="For insiders", tags=["x"]))
    handler = DefaultRequestHandlerV2(
        agent_executor=Counting(),
        task_store=InMemoryTaskStore(),
        agent_card=card,
        extended_agent_card=extended,
        push_config_store=InMemoryPushNotificationConfigStore(),
    )
    app = Starlette(
        routes=[
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/rpc"),
            Mount("/rest", routes=create_rest_routes(handler)),
        ]
    )
    received: list[dict[str, str]] = []

    async def recording(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            received.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await app(scope, receive, send)

    with serving(recording) as origin:
        for one in (card, extended):
            for interface in one.supported_interfaces:
                interface.url = interface.url.replace("http://later.invalid", origin)
        key = jwt.PyJWK.from_dict(
            jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
        )
        header = {"kid": "agents-own", "alg": "ES256", "jku": None, "typ": "JOSE"}
        create_agent_card_signer(key, header)(card)
        yield Agent(origin, card, received)


@contextlib.asynccontextmanager
async def client(url: str, token: str, binding: str = JSONRPC) -> AsyncIterator[Client]:
    """An ordinary A2A client: it reads the card at the gateway and calls where the card says."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        factory = ClientFactory(ClientConfig(httpx_client=http, supported_protocol_bindings=[binding]))
        async with await factory.create_from_url(url) as connected:
            yield connected

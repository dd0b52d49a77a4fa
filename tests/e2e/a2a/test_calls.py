"""An ordinary A2A client, a real agent, and the gateway between them, by each binding."""

import pytest
from a2a.client import Client
from a2a.helpers.proto_helpers import get_message_text, new_text_message
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Role,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    TaskState,
)
from a2a.utils.errors import TaskNotFoundError

from tests.e2e.a2a.agent import JSONRPC, REST, client
from tests.e2e.a2a.conftest import CREDENTIAL, Attached
from tests.e2e.scraping import value
from tests.e2e.stack import until

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
both = pytest.mark.parametrize("binding", [JSONRPC, REST])


def says(text: str) -> SendMessageRequest:
    return SendMessageRequest(message=new_text_message(text, role=Role.ROLE_USER))


async def answers(connected: Client, text: str) -> list[StreamResponse]:
    return [event async for event in connected.send_message(says(text))]


@both
async def test_a_message_is_answered(attached: Attached, binding: str) -> None:
    async with client(attached.url, attached.token, binding) as connected:
        [answer] = await answers(connected, "hello")
    assert get_message_text(answer.message) == "you said: hello"


@both
async def test_a_message_without_streaming_is_answered_at_once(attached: Attached, binding: str) -> None:
    async with client(attached.url, attached.token, binding) as connected:
        connected._config.streaming = False
        [answer] = await answers(connected, "count 2")
    assert answer.task.status.state == TaskState.TASK_STATE_COMPLETED


@both
async def test_a_stream_passes_event_by_event(attached: Attached, binding: str) -> None:
    """The task has no end of its own, so the first events come while it runs."""
    async with client(attached.url, attached.token, binding) as connected:
        stream = connected.send_message(says("wait"))
        first = await anext(stream)
        numbers = [(await anext(stream)).artifact_update.artifact.parts[0].text for _ in range(3)]
        ended = await connected.cancel_task(CancelTaskRequest(id=first.task.id))
        rest = [event async for event in stream]
    assert numbers == ["0", "1", "2"]
    assert ended.status.state == TaskState.TASK_STATE_CANCELED
    assert rest[-1].status_update.status.state == TaskState.TASK_STATE_CANCELED


@both
async def test_a_task_is_found_listed_and_followed_again(attached: Attached, binding: str) -> None:
    async with client(attached.url, attached.token, binding) as connected:
        stream = connected.send_message(says("wait"))
        task = (await anext(stream)).task
        found = await connected.get_task(GetTaskRequest(id=task.id, history_length=1))
        listed = await connected.list_tasks(ListTasksRequest(context_id=task.context_id))
        again = connected.subscribe(SubscribeToTaskRequest(id=task.id))
        followed = await anext(again)
        await connected.cancel_task(CancelTaskRequest(id=task.id))
        assert [event async for event in again]
        assert [event async for event in stream]
    assert found.id == followed.task.id == task.id
    assert [one.id for one in listed.tasks] == [task.id]


@both
async def test_an_agent_s_own_error_passes(attached: Attached, binding: str) -> None:
    async with client(attached.url, attached.token, binding) as connected:
        with pytest.raises(TaskNotFoundError):
            await connected.get_task(GetTaskRequest(id="no-such-task"))


@both
async def test_the_agent_gets_its_own_credential_and_never_the_client_s(
    attached: Attached, binding: str
) -> None:
    attached.agent.received.clear()
    async with client(attached.url, attached.token, binding) as connected:
        await answers(connected, "hello")
    [received] = attached.agent.received
    assert received["authorization"] == f"Bearer {CREDENTIAL}"
    assert received["a2a-version"] == "1.0"
    assert attached.token not in str(received)


@both
async def test_each_call_has_its_line_in_the_audit_log(attached: Attached, binding: str) -> None:
    async with client(attached.url, attached.token, binding) as connected:
        await answers(connected, "not for the log")
    line = attached.stack.audit()[-1]
    assert (line["server"], line["method"]) == ("/a2a/counter", "SendStreamingMessage")
    assert (line["decision"], line["status"]) == ("allow", 200)
    assert "not for the log" not in str(line)


@both
async def test_each_call_is_counted_by_its_operation(attached: Attached, binding: str) -> None:
    labels = {"server": "/a2a/counter", "method": "SendStreamingMessage", "decision": "allow"}
    before = value(attached.stack, "gatepost_calls_total", **labels)
    async with client(attached.url, attached.token, binding) as connected:
        await answers(connected, "to be counted")
    until(lambda: value(attached.stack, "gatepost_calls_total", **labels) > before, what="the count")

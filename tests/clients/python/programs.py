"""Workflows and activities as a user of the official SDK writes them."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, is_cancelled_exception


@activity.defn
async def third_time_lucky(name: str) -> str:
    attempt = activity.info().attempt
    if attempt < 3:
        raise ApplicationError(f"attempt {attempt} fails on purpose", type="Unlucky")
    return f"{name} at attempt {attempt}"


@activity.defn
async def hopeless(_: str) -> str:
    raise ApplicationError("no retry will help", type="Hopeless", non_retryable=True)


@activity.defn
async def greet(name: str) -> str:
    return f"hello {name}"


@activity.defn
async def slow(name: str) -> str:
    """Takes long enough to be there when the server dies, and heartbeats meanwhile."""
    for beat in range(8):
        activity.heartbeat(beat)
        await asyncio.sleep(0.25)
    return f"slow {name}"


@activity.defn
async def until_cancelled(_: str) -> str:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.1)


@workflow.defn
class Retries:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            third_time_lucky,
            name,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), backoff_coefficient=2.0),
        )


@workflow.defn
class GivesUp:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(hopeless, name, start_to_close_timeout=timedelta(seconds=10))


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, seconds: float) -> float:
        before = workflow.now()
        await asyncio.sleep(seconds)
        return (workflow.now() - before).total_seconds()


@workflow.defn
class Waits:
    """Collects signals until it is told that there are enough."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.enough = False

    @workflow.run
    async def run(self) -> list[int]:
        await workflow.wait_condition(lambda: self.enough)
        return self.numbers

    @workflow.signal
    def add(self, number: int) -> None:
        self.numbers.append(number)

    @workflow.signal
    def finish(self) -> None:
        self.enough = True


@workflow.defn
class CleansUp:
    """Runs an activity until it is cancelled, then another one that is not."""

    @workflow.run
    async def run(self, name: str) -> str:
        try:
            await workflow.execute_activity(
                until_cancelled,
                name,
                start_to_close_timeout=timedelta(seconds=60),
                heartbeat_timeout=timedelta(seconds=2),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except BaseException as error:
            if not is_cancelled_exception(error):
                raise
            # The workflow was cancelled once; what it does from here on is not.
            await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
            raise
        return "never cancelled"


@workflow.defn
class Journey:
    """A bit of everything, long enough for the server to die in the middle."""

    def __init__(self) -> None:
        self.tickets: list[int] = []

    @workflow.run
    async def run(self, name: str) -> str:
        retry = RetryPolicy(initial_interval=timedelta(milliseconds=200))
        first = await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=3), retry_policy=retry
        )
        await asyncio.sleep(1.5)
        second = await workflow.execute_activity(
            slow,
            name,
            start_to_close_timeout=timedelta(seconds=6),
            heartbeat_timeout=timedelta(seconds=2),
            retry_policy=retry,
        )
        await workflow.wait_condition(lambda: len(self.tickets) >= 2)
        return f"{first}, {second}, tickets {self.tickets}"

    @workflow.signal
    def ticket(self, number: int) -> None:
        self.tickets.append(number)


WORKFLOWS = [Retries, GivesUp, Sleeps, Waits, CleansUp, Journey]
ACTIVITIES = [third_time_lucky, hopeless, greet, slow, until_cancelled]

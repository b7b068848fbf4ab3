"""The SDK's own local environment, with our server in the place of the official one."""

import asyncio
import os
import unittest
import uuid

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import programs
import running


class StartLocal(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.environment = await WorkflowEnvironment.start_local(dev_server_existing_path=os.environ["TEMPEST"])
        self.client = self.environment.client
        self.queue = f"queue-{uuid.uuid4()}"
        self.worker = Worker(
            self.client, task_queue=self.queue, workflows=programs.WORKFLOWS, activities=programs.ACTIVITIES
        )
        self.working = asyncio.create_task(self.worker.run())

    async def asyncTearDown(self) -> None:
        await self.worker.shutdown()
        await self.working
        await self.environment.shutdown()

    async def start(self, program, *arguments):
        return await self.client.start_workflow(
            program.run, *arguments, id=f"{program.__name__}-{uuid.uuid4()}", task_queue=self.queue
        )

    async def test_an_activity_is_retried(self) -> None:
        handle = await self.start(programs.Retries, "luck")
        self.assertEqual(await handle.result(), "luck at attempt 3")
        kinds = [event.event_type async for event in handle.fetch_history_events()]
        self.assertEqual(len(kinds), 11, "retries leave no event of their own")

    async def test_a_failure_that_is_not_retried_reaches_the_caller(self) -> None:
        handle = await self.start(programs.GivesUp, "luck")
        with self.assertRaises(WorkflowFailureError) as failed:
            await handle.result()
        activity = failed.exception.cause
        self.assertIsInstance(activity, ActivityError)
        self.assertIsInstance(activity.cause, ApplicationError)
        self.assertEqual(activity.cause.type, "Hopeless")
        self.assertEqual(activity.cause.message, "no retry will help")

    async def test_a_timer_is_not_early(self) -> None:
        handle = await self.start(programs.Sleeps, 1.2)
        slept = await handle.result()
        self.assertGreaterEqual(slept, 1.2)
        self.assertLess(slept, 10)

    async def test_signals_arrive_once_and_in_order(self) -> None:
        handle = await self.start(programs.Waits)
        for number in range(20):
            await handle.signal(programs.Waits.add, number)
        await handle.signal(programs.Waits.finish)
        self.assertEqual(await handle.result(), list(range(20)))

    async def test_cancellation_reaches_activity_and_workflow(self) -> None:
        handle = await self.start(programs.CleansUp, "kitchen")
        while not (await handle.describe()).raw_description.pending_activities:
            await asyncio.sleep(0.05)
        await handle.cancel()
        with self.assertRaises(WorkflowFailureError) as failed:
            await handle.result()
        self.assertIsInstance(failed.exception.cause, CancelledError)
        description = await handle.describe()
        self.assertEqual(description.status, WorkflowExecutionStatus.CANCELED)
        kinds = [event.event_type async for event in handle.fetch_history_events()]
        for kind in (EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED):
            self.assertEqual(kinds.count(kind), 1, f"{EventType.Name(kind)}: cancelled, then cleaned up")

    async def test_a_running_workflow_is_terminated(self) -> None:
        handle = await self.start(programs.Waits)
        await handle.terminate("enough")
        description = await handle.describe()
        self.assertEqual(description.status, WorkflowExecutionStatus.TERMINATED)
        with self.assertRaises(RPCError) as refused:
            await handle.signal(programs.Waits.add, 1)
        self.assertEqual(refused.exception.status, RPCStatusCode.NOT_FOUND)

    async def test_an_id_that_runs_is_not_started_twice(self) -> None:
        handle = await self.start(programs.Waits)
        with self.assertRaises(WorkflowAlreadyStartedError):
            await self.client.start_workflow(programs.Waits.run, id=handle.id, task_queue=self.queue)
        await handle.signal(programs.Waits.finish)
        self.assertEqual(await handle.result(), [])


if __name__ == "__main__":
    running.main()

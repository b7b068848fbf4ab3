"""A server of our own is killed with SIGKILL in the middle of the work and started again on the same file."""

import asyncio
import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from temporalio.client import Client
from temporalio.worker import Worker

import programs
import running

JOURNEYS = 20
KILLS = 3


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, database: str) -> None:
        self.port = free_port()
        self.database = database
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [os.environ["TEMPEST"], "server", "start-dev", "--headless", "--port", str(self.port)]
        self.process = subprocess.Popen(command + ["--db-filename", self.database, "--log-level", "warn"])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=20)


async def connect(server: Server) -> Client:
    deadline = time.monotonic() + 20
    while True:
        try:
            return await Client.connect(server.address)
        except RuntimeError:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise
            await asyncio.sleep(0.05)


async def insist(call):
    """What a caller does whose server may be away: the same call again until there is an answer."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return await call()
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


class Kill(unittest.IsolatedAsyncioTestCase):
    async def test_everything_completes(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            server = Server(os.path.join(directory, "tempest.db"))
            try:
                await self.journeys(server)
                self.assertEqual(server.stop(), 0, "an orderly stop is a success")
            finally:
                if server.process.poll() is None:
                    server.kill()

    async def journeys(self, server: Server) -> None:
        client = await connect(server)
        async with Worker(
            client,
            task_queue="journeys",
            workflows=programs.WORKFLOWS,
            activities=programs.ACTIVITIES,
            max_concurrent_activities=50,
        ):
            handles = [
                await client.start_workflow(
                    programs.Journey.run, f"traveller {number}", id=f"journey-{number}", task_queue="journeys"
                )
                for number in range(JOURNEYS)
            ]
            for handle in handles:
                await handle.signal(programs.Journey.ticket, 1)
            for _ in range(KILLS):
                await asyncio.sleep(0.9)
                server.kill()
                server.start()
            for handle in handles:
                await insist(lambda handle=handle: handle.signal(programs.Journey.ticket, 2))
            everything = asyncio.gather(*[insist(lambda handle=handle: handle.result()) for handle in handles])
            results = await asyncio.wait_for(everything, timeout=120)
        for number, result in enumerate(results):
            name = f"traveller {number}"
            self.assertRegex(result, f"^hello {name}, slow {name}, tickets \\[1, 2(, 2)*\\]$")


if __name__ == "__main__":
    running.main()

"""A node that delivers mail until it is killed: python -m tests.daemon.mail_node DATABASE_URL SMTP_PORT."""

from __future__ import annotations

import asyncio
import sys

from tests.daemon.harness import node
from tests.daemon.mail import SmtpChannel


async def main(url: str, port: int) -> None:
    channel = SmtpChannel(port, concurrency=8)
    async with node(url, channels={"email": channel}, packages={"test": "tests.daemon.mail_suite"}, home="/mail"):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))

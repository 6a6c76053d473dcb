"""E-mail over SMTP: connections kept and reused, one transaction a message, every refusal classified."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from aiosmtplib import SMTPException, SMTPResponseException

from daemon.addresses import mail_address
from daemon.channel_settings import EmailSettings
from daemon.channels.channel import Delivery, Message, Verdict
from daemon.channels.mime import Letterhead, compose
from daemon.channels.smtp_pool import Line, SmtpPool, Unreachable
from daemon.channels.smtp_replies import CLOSING, Stage, accepted, lost, refused, unreachable

SLOWEST_LINE = 64 * 1024  # octets a second that a transfer is given time for, beyond the timeout
LEAST_REFUSAL = 400


class EmailChannel:
    """One mail server. A message is one recipient's, so a refusal is about that recipient."""

    name = "email"
    per_second: float | None = None

    def __init__(self, settings: EmailSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.concurrency = settings.concurrency
        self._timeout = settings.timeout.total_seconds()
        self._now = now
        self._pool = SmtpPool(settings)
        self._letterhead = Letterhead(*settings.mail_from, settings.own_domain, settings.reply_to)

    async def send(self, message: Message) -> Delivery:
        try:
            address = mail_address(message.address)
            content = compose(message, address, self._letterhead, self._now())
        except ValueError as error:
            return Delivery(Verdict.REJECTED, str(error))
        try:
            delivery = await self._transfer(address, content, fresh=False)
            return delivery or await self._transfer(address, content, fresh=True) or lost(Stage.SENDER, "twice")
        except Unreachable as error:
            return unreachable(str(error))
        except Exception as error:  # noqa: BLE001 - a delivery is promised whatever happens
            return Delivery(Verdict.RETRY, f"{type(error).__name__}: {error}")

    async def probe(self) -> Delivery:
        """Connect, log in and name the sender, anew; then take it back."""
        try:
            await self._pool.forget()
            async with self._pool.line(fresh=True) as line:
                await line.smtp.mail(self._letterhead.address)
                await line.smtp.rset()
        except SMTPResponseException as refusal:
            return unreachable(refused(Stage.SENDER, refusal.code, refusal.message).detail)
        except Exception as error:  # noqa: BLE001 - as above
            return unreachable(str(error) or type(error).__name__)
        return Delivery(Verdict.SENT, "the mail server accepts our mail")

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _transfer(self, address: str, content: bytes, *, fresh: bool) -> Delivery | None:
        """None: a connection of an earlier message was found closed, and the server knows nothing of this one."""
        async with self._pool.line(fresh=fresh) as line:
            too_much = _beyond_the_server(line, address, content)
            return too_much or await self._dialogue(line, address, content)

    async def _dialogue(self, line: Line, address: str, content: bytes) -> Delivery | None:
        smtp, stage = line.smtp, Stage.SENDER
        unusual = not address.isascii()
        options = [f"SIZE={len(content)}"] if smtp.supports_extension("size") else []
        try:
            await smtp.mail(self._letterhead.address, options=[*options, "SMTPUTF8"] if unusual else options)
            stage = Stage.RECIPIENT
            await smtp.rcpt(address, encoding="utf-8" if unusual else "ascii")
            stage = Stage.CONTENT
            return accepted((await smtp.data(content, timeout=self._time_for(content))).message)
        except SMTPResponseException as refusal:
            if _is_worn_out(line, stage, refusal.code):
                smtp.close()
                return None
            await _reset(line, refusal.code)
            return refused(stage, refusal.code, refusal.message)
        except (SMTPException, OSError) as error:
            smtp.close()
            if not line.fresh and stage is not Stage.CONTENT:
                return None
            return lost(stage, str(error) or type(error).__name__)

    def _time_for(self, content: bytes) -> float:
        return self._timeout + len(content) / SLOWEST_LINE


def _beyond_the_server(line: Line, address: str, content: bytes) -> Delivery | None:
    """What the server has said in its greeting that it does not take."""
    limit = line.smtp.esmtp_extensions.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(content):
        return Delivery(Verdict.REJECTED, f"the message has {len(content)} octets, and the server takes {limit}")
    if not address.isascii() and not line.smtp.supports_extension("smtputf8"):
        return Delivery(Verdict.REJECTED, f"the server does not offer SMTPUTF8, which {address!r} needs")
    return None


def _is_worn_out(line: Line, stage: Stage, code: int) -> bool:
    """An older connection has had its share: 421, or 4xx before the server knows whom the message is for."""
    if line.fresh:
        return False
    return (code == CLOSING and stage is not Stage.CONTENT) or (code // 100 == 4 and stage is Stage.SENDER)


async def _reset(line: Line, code: int) -> None:
    """RSET, so that the next message begins anew. A connection that does not speak SMTP is closed."""
    if code < LEAST_REFUSAL:
        line.smtp.close()
        return
    try:
        await line.smtp.rset()
    except (SMTPException, OSError):
        line.smtp.close()

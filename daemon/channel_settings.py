"""The settings of the ways to reach people: channels, outbox, the public listener, alerts."""

from __future__ import annotations

from datetime import time, timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from daemon import zones
from daemon.addresses import mail_address, mailbox
from daemon.setting_addresses import listen_address
from daemon.setting_types import PositiveDuration, Section

# The names that mail servers usually have in the environment. `SEXTON_EMAIL__HOST` and its like beat them.
ENVIRONMENT_ALIASES = {
    "SMTP_HOST": ("email", "host"),
    "SMTP_PORT": ("email", "port"),
    "SMTP_USER": ("email", "username"),
    "SMTP_PASS": ("email", "password"),
}
SHORTEST_SECRET = 16


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _private_url(text: str) -> str:
    """A URL that others must not read on the way: HTTPS, or a host that is this machine. Empty is allowed."""
    parts = urlsplit(text)
    if text and not (parts.scheme == "https" and parts.hostname) and not _is_here(parts.scheme, parts.hostname):
        raise ValueError("write a URL that begins with https:// (http:// only for this machine)")
    return text


def _is_here(scheme: str, host: str | None) -> bool:
    return scheme == "http" and host is not None and is_loopback(host)


def _private_secret_url(secret: SecretStr) -> SecretStr:
    _private_url(secret.get_secret_value())
    return secret


def _base_url(text: str) -> str:
    parts = urlsplit(_private_url(text))
    if parts.query or parts.fragment:
        raise ValueError("write a URL without ? and #, such as https://example.org/mail")
    return text.rstrip("/")


def _mailbox_or_nothing(text: str) -> str:
    if text:
        mailbox(text)
    return text


def _listen_or_nothing(text: str) -> str:
    return text and listen_address(text)


def _long_or_nothing(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"write at least {SHORTEST_SECRET} random characters, such as `openssl rand -hex 32` prints")
    return secret


def _listed(value: object) -> object:
    """The environment has no lists: addresses are separated by commas there."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError('write a time without a zone, such as "21:00": it is in the zone of who is written to')
    return value


def _known_zone(name: str) -> str:
    try:
        zones.zone(name)
    except ValueError as error:
        raise ValueError(f'{error}: write an IANA name such as "Europe/Zurich"') from None
    return name


Mailbox = Annotated[str, AfterValidator(_mailbox_or_nothing)]
SecretUrl = Annotated[SecretStr, AfterValidator(_private_secret_url)]
Addresses = Annotated[tuple[Annotated[str, AfterValidator(mail_address)], ...], BeforeValidator(_listed)]
LocalTime = Annotated[time, AfterValidator(_without_zone)]
NOTHING = SecretStr("")


class EmailSettings(Section):
    """A mail server to hand messages to. No host: no e-mail. `tls` follows the port 465, and the port `implicit`."""

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: SecretStr = NOTHING
    sender: Mailbox = ""
    reply_to: Mailbox = ""
    domain: str = Field(default="", pattern=r"^$|^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")
    concurrency: int = Field(default=10, ge=1, le=100)
    timeout: PositiveDuration = timedelta(seconds=30)

    @model_validator(mode="before")
    @classmethod
    def _port_and_tls_agree(cls, given: Any) -> Any:
        if isinstance(given, dict):
            if "tls" not in given and str(given.get("port")) == "465":
                return {**given, "tls": "implicit"}
            if "port" not in given and given.get("tls") == "implicit":
                return {**given, "port": 465}
        return given

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if not self.host:
            return self
        try:
            address = self.mail_from[1]
        except ValueError:
            raise ValueError('sender is missing: write one, such as "Sexton <sexton@example.org>"') from None
        if not address.isascii():
            raise ValueError("sender: write an address in ASCII, which every mail server accepts")
        if self.reply_to and not mailbox(self.reply_to)[1].isascii():
            raise ValueError("reply_to: write an address in ASCII, which every mail server accepts")
        if self.tls == "none" and self.username and not is_loopback(self.host):
            raise ValueError('tls = "none" would send the password in the clear: write "starttls" or "implicit"')
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("username and password belong together: set both, or neither")
        return self

    @property
    def mail_from(self) -> tuple[str, str]:
        """The sender's name and address; without a sender the user name, if it is an address. Raises `ValueError`."""
        return mailbox(self.sender or self.username)

    @property
    def own_domain(self) -> str:
        """What our Message-IDs end in and our EHLO says."""
        return self.domain or self.mail_from[1].rpartition("@")[2]


class SmsSettings(Section):
    """A service that takes messages as Twilio does. No account: no SMS."""

    base_url: Annotated[str, AfterValidator(_base_url)] = "https://api.twilio.com"
    account_sid: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    token: SecretStr = NOTHING
    sender: str = ""
    messaging_service_sid: str = ""
    per_second: float = Field(default=5, gt=0, le=1000)
    timeout: PositiveDuration = timedelta(seconds=10)

    @model_validator(mode="after")
    def _is_usable(self) -> Self:
        if self.account_sid and not self.token.get_secret_value():
            raise ValueError("token is missing: it is the account's password")
        if self.account_sid and bool(self.sender) == bool(self.messaging_service_sid):
            raise ValueError("set one of sender (a number or a name) and messaging_service_sid")
        return self


class SlackSettings(Section):
    webhook_url: SecretUrl = NOTHING


class DiscordSettings(Section):
    webhook_url: SecretUrl = NOTHING


class OutboxSettings(Section):
    """How messages are kept and repeated. From `quiet_start` to `quiet_end` nothing promotional is sent.

    `timezone` is that of people whose own is not known.
    """

    retention: PositiveDuration = timedelta(days=30)
    retry_base: PositiveDuration = timedelta(seconds=30)
    max_attempts: int = Field(default=8, ge=1, le=100)
    quiet_start: LocalTime = time(21)
    quiet_end: LocalTime = time(10)
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    administrators: Addresses = ()
    unsubscribe_secret: Annotated[SecretStr, AfterValidator(_long_or_nothing)] = NOTHING


class PublicSettings(Section):
    """The listener that anybody may reach, and the URL under which they do."""

    listen: Annotated[str, AfterValidator(_listen_or_nothing)] = ""
    base_url: Annotated[str, AfterValidator(_base_url)] = ""


class AlertSettings(Section):
    heartbeat_url: Annotated[str, AfterValidator(_private_url)] = ""
    heartbeat_every: PositiveDuration = timedelta(seconds=60)
    direct: Literal["", "slack", "discord", "email"] = ""


class ChannelsSettings(Section):
    """All of it, as sections of the whole configuration."""

    email: EmailSettings = EmailSettings()
    sms: SmsSettings = SmsSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    outbox: OutboxSettings = OutboxSettings()
    public: PublicSettings = PublicSettings()
    alerts: AlertSettings = AlertSettings()

    @property
    def configured_channels(self) -> tuple[str, ...]:
        present = {
            "email": bool(self.email.host),
            "sms": bool(self.sms.account_sid),
            "slack": bool(self.slack.webhook_url.get_secret_value()),
            "discord": bool(self.discord.webhook_url.get_secret_value()),
        }
        return tuple(name for name, there in present.items() if there)


def problems(settings: ChannelsSettings) -> list[str]:
    """What is wrong between the sections, a sentence each; within one they are checked when read."""
    found = []
    public, outbox, alerts = settings.public, settings.outbox, settings.alerts
    signs = bool(outbox.unsubscribe_secret.get_secret_value())
    if public.listen and not public.base_url:
        found.append("public.base_url is missing: write the https:// URL under which public.listen is reached")
    if (public.listen or public.base_url) and not signs:
        found.append("outbox.unsubscribe_secret is missing: the links to unsubscribe are signed with it")
    if alerts.direct and alerts.direct not in settings.configured_channels:
        found.append(f'alerts.direct = "{alerts.direct}", which is not configured: fill in [{alerts.direct}]')
    if alerts.direct == "email" and not outbox.administrators:
        found.append('alerts.direct = "email" has nobody to write to: fill in outbox.administrators')
    return found

"""The settings of the admin: where it listens, what its tokens are signed with, whom it believes."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from daemon.channel_settings import NOTHING, is_loopback
from daemon.setting_addresses import listen_address, parse_listen
from daemon.setting_types import PositiveDuration, Section

SHORTEST_SECRET = 32
"""Octets: HS256 wants a key at least as long as its hash (RFC 7518, 3.2)."""
MAKE_ONE = "make one with `openssl rand -hex 32`"
ENVIRONMENT_ALIASES = {"JWT_SECRET": ("admin", "jwt_secret")}
CREDENTIAL_ALIASES = {"jwt_secret": ("admin", "jwt_secret")}


def _long_or_nothing(secret: SecretStr) -> SecretStr:
    length = len(secret.get_secret_value().encode())
    if 0 < length < SHORTEST_SECRET:
        raise ValueError(f"has {length} octets, and at least {SHORTEST_SECRET} are needed: {MAKE_ONE}")
    return secret


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("write an address or a network, such as 10.0.0.7 or 10.0.0.0/24") from None
    return text


Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_listed)]


class AdminSettings(Section):
    """`two_person`: a sensitive job is re-run only when somebody else agrees. `session`: how long a login lasts."""

    listen: Annotated[str, AfterValidator(listen_address)] = "127.0.0.1:8300"
    jwt_secret: Annotated[SecretStr, AfterValidator(_long_or_nothing)] = NOTHING
    proxies: Networks = ()
    two_person: bool = False
    session: Annotated[PositiveDuration, Field(le=timedelta(days=30))] = timedelta(hours=12)

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.enabled and not self.loopback and not self.jwt_secret.get_secret_value():
            raise ValueError(
                f"listen = {self.listen!r} can be reached from other machines, and there is nothing to sign tokens "
                f"with: set JWT_SECRET in the environment or the credential jwt_secret ({MAKE_ONE}), or listen on "
                "127.0.0.1"
            )
        return self

    @property
    def enabled(self) -> bool:
        return self.listen != "off"

    @property
    def loopback(self) -> bool:
        return is_loopback(parse_listen(self.listen)[0])

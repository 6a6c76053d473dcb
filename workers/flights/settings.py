"""What an operator may set under `[suite.flights]`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class Settings(BaseModel):
    """Pinot credentials are a user and password (Basic) or a token (bearer), never both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    positions: Literal["postgres", "pinot"] = "postgres"
    pinot_url: str | None = None
    pinot_table: str = Field(default="flight_positions", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    pinot_user: str | None = None
    pinot_password: SecretStr | None = None
    pinot_token: SecretStr | None = None
    pinot_timeout_s: float = Field(default=10.0, gt=0, le=110)
    invoice_series: str = Field(default="FI", pattern=r"^[A-Z]{1,3}$")
    credit_note_series: str = Field(default="CN", pattern=r"^[A-Z]{1,3}$")
    terms_days: int = Field(default=30, ge=0, le=365)
    benchmark_file: Path | None = Path("benchmarks/results.json")

    @field_validator("pinot_url")
    @classmethod
    def can_be_asked(cls, url: str | None) -> str | None:
        """What no client can use is known at the start, and not from every flight that dies of it."""
        if url is not None and (problem := problem_of(url)):
            raise ValueError(f"must be like http://broker:8099: {problem}")
        return url

    @field_validator("pinot_token")
    @classmethod
    def fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        """A client that cannot send a header may quote it in its error, and so in the log."""
        said = None if token is None else token.get_secret_value()
        if said is not None and not (said.isascii() and said.isprintable() and said and " " not in said):
            raise ValueError("must be printable ASCII without spaces or line ends")
        return token

    @model_validator(mode="after")
    def consistent(self) -> Self:
        if self.positions == "pinot" and self.pinot_url is None:
            raise ValueError("positions = 'pinot' needs pinot_url, such as http://broker:8099")
        if (self.pinot_user is None) != (self.pinot_password is None):
            raise ValueError("pinot_user and pinot_password go together")
        if self.pinot_user is not None and self.pinot_token is not None:
            raise ValueError("pinot_token and pinot_user exclude each other")
        if self.invoice_series == self.credit_note_series:
            raise ValueError("invoices and credit notes are numbered in series of their own")
        return self


def problem_of(url: str) -> str | None:
    """What keeps this from being a broker's URL. Credentials have settings of their own, which are never shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "this is no address"
    if any(character.isspace() for character in url):
        return "it has a space in it"
    if parts.scheme not in ("http", "https"):
        return "it begins with http:// or https://"
    if "@" in parts.netloc:
        return "credentials go into pinot_user and pinot_password"
    if not parts.hostname:
        return "it names no broker"
    try:
        _ = parts.port
    except ValueError:
        return "the port is no number up to 65535"
    return "nothing after the path is sent" if parts.query or parts.fragment else None

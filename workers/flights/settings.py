"""What an operator may set under `[suite.flights]`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Settings(BaseModel):
    """Pinot credentials are a user and password (Basic) or a token (bearer), never both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    positions: Literal["postgres", "pinot"] = "postgres"
    pinot_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+")
    pinot_table: str = Field(default="flight_positions", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    pinot_user: str | None = None
    pinot_password: SecretStr | None = None
    pinot_token: SecretStr | None = None
    pinot_timeout_s: float = Field(default=10.0, gt=0, le=110)
    invoice_series: str = Field(default="FI", pattern=r"^[A-Z]{1,3}$")
    credit_note_series: str = Field(default="CN", pattern=r"^[A-Z]{1,3}$")
    terms_days: int = Field(default=30, ge=0, le=365)
    benchmark_file: Path | None = Path("benchmarks/results.json")

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

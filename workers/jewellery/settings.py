"""What an operator may set under `[suite.jewellery]`."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

STRICT = ConfigDict(extra="forbid", frozen=True)
ADDRESS = r"^[^@\s\x00-\x1f\x7f,;<>]+@[^@\s\x00-\x1f\x7f,;<>]+$"
STATUSES = ("PLACED", "CONFIRMED", "PROCESSING", "SHIPPED", "DELIVERED", "CANCELLED", "RETURN_APPROVED")


def listed(value: object) -> object:
    """Environment variables and credentials have no lists: parts are separated by commas or line ends."""
    if isinstance(value, str):
        return [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]
    return value


EmailAddress = Annotated[str, StringConstraints(pattern=ADDRESS, max_length=254)]
Status = Annotated[str, StringConstraints(pattern=f"^({'|'.join(STATUSES)})$")]


class RazorpaySettings(BaseModel):
    """`[suite.jewellery.razorpay]`. Without `key_id` nobody is asked, and payments wait for the webhook alone."""

    model_config = STRICT

    base_url: str = "https://api.razorpay.com/v1"
    key_id: str = Field(default="", pattern=r"^[\x21-\x7e]*$")
    key_secret: SecretStr = SecretStr("")
    webhook_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(listed)] = ()
    """The newest first. While a secret is changed, old deliveries still carry the old one: list both for a day."""
    per_second: float = Field(default=5.0, gt=0, le=10_000)
    concurrency: int = Field(default=10, ge=1, le=100)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    """For a whole answer, not for each of its parts."""
    auto_capture: bool = False
    """Capture what the customer's bank authorised, when amount and currency are right and the order still stands."""

    @model_validator(mode="after")
    def consistent(self) -> Self:
        if bool(self.key_id) != bool(self.key_secret.get_secret_value()):
            raise ValueError("key_id and key_secret go together")
        if self.auto_capture and not self.key_id:
            raise ValueError("auto_capture needs key_id and key_secret: nothing is captured without")
        if any(not secret.get_secret_value() for secret in self.webhook_secrets):
            raise ValueError("webhook_secrets has an empty secret, which anybody could sign with: leave it out")
        if problem := problem_of(self.base_url):
            raise ValueError(f"base_url must be like https://api.razorpay.com/v1: {problem}")
        return self


def problem_of(url: str) -> str | None:
    """What keeps this from being the provider's address. The key goes over it, so it is TLS or this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "this is no address"
    if any(character.isspace() for character in url):
        return "it has a space in it"
    if "@" in parts.netloc:
        return "credentials go into key_id and key_secret"
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"):
        return None
    if parts.scheme != "https" or not parts.hostname:
        return "it begins with https://"
    return "nothing after the path is sent" if parts.query or parts.fragment else None


class Settings(BaseModel):
    """Payments and orders first; then what stock, sales and clean-up need."""

    model_config = STRICT

    razorpay: RazorpaySettings = RazorpaySettings()
    take_stock: bool = True
    """Whether a confirmed order's pieces leave product.stock with its locks. False: the shop's own code counts them."""
    delivery_days: int = Field(default=7, ge=0, le=365)
    """From confirmation to the estimated delivery, in days of Asia/Kolkata."""
    webhook_retention_days: int = Field(default=30, ge=3, le=3660)
    """How long events are kept that were worked. Deliveries are repeated for a day, and known again all that time."""
    administrators: Annotated[tuple[EmailAddress, ...], BeforeValidator(listed)] = ()
    """Who gets reviews, stock alerts and the sales report. Nobody: they are kept and logged all the same."""

    low_stock_threshold: int = Field(default=5, ge=0, le=1_000_000)
    """For products without one of their own: so many available pieces, or fewer, are low."""
    revenue_statuses: Annotated[tuple[Status, ...], BeforeValidator(listed)] = ("PROCESSING", "SHIPPED", "DELIVERED")
    """The states of orders that the sales report counts."""
    sales_currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = "INR"
    """What a day without any order is zero of."""
    notification_days: int = Field(default=30, ge=1, le=36_525)
    """How long notifications are kept that were read."""
    unverified_days: int = Field(default=30, ge=1, le=36_525)
    """How long an account may stay unverified. One with orders stays for good."""
    cron_lines: bool = False
    """Whether jobs also log lines as the shop's earlier scripts did: `[instant] [task] status: [Cron] message`."""

"""Keys of AI providers as settings. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, SecretStr


def fits_a_header(key: SecretStr) -> SecretStr:
    """A client that cannot send a header may quote it in its error, and so in the log. Raises `ValueError`."""
    said = key.get_secret_value()
    if not (said.isascii() and said.isprintable() and said and " " not in said):
        raise ValueError("must be printable ASCII without spaces or line ends")
    return key


ApiKey = Annotated[SecretStr, AfterValidator(fits_a_header)]

"""Razorpay's webhook: POST /hooks/jewellery/razorpay. What is signed is kept, once for each event, and worked later."""

from __future__ import annotations

import hashlib
import hmac

from daemon import HookCall, Kept, Refused, hook, sql
from workers.jewellery.razorpay_shapes import event_type
from workers.jewellery.settings import Settings

(KEEP_EVENTS,) = sql.load(__file__, "keep_events")

LONGEST = 1_000_000
SIGNATURE, EVENT_ID = "x-razorpay-signature", "x-razorpay-event-id"
LONGEST_ID = 200


@hook("/razorpay", keep=KEEP_EVENTS, longest_body=LONGEST)
def razorpay(call: HookCall, settings: Settings) -> Kept | Refused:
    """A signature is over the body's own octets: it is checked before anything is read into them."""
    signature, event_id = call.headers.get(SIGNATURE, ""), call.headers.get(EVENT_ID, "")
    if not signature or not event_id:
        return Refused(400, f"{SIGNATURE if not signature else EVENT_ID} is missing")
    if len(event_id) > LONGEST_ID or not (event_id.isascii() and event_id.isprintable()):
        return Refused(400, f"{EVENT_ID} is not an id")
    secret_no = signed_with(call.body, signature, [s.get_secret_value() for s in settings.razorpay.webhook_secrets])
    if secret_no is None:
        return Refused(401, "the signature is not good")
    return Kept(event_id, event_type(call.body), call.body, secret_no)


def signed_with(body: bytes, signature: str, secrets: list[str]) -> int | None:
    """Which secret it was signed with, None for none of them. Takes as long for a near miss as for a far one."""
    said = signature.strip().lower().encode("utf-8", "replace")
    found = None
    for number, secret in enumerate(secrets):
        good = hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), said)
        if good and found is None:
            found = number
    return found

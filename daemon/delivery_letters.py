"""The letters of a node's suites, with links to unsubscribe where there is a public listener to follow them to."""

from __future__ import annotations

from collections.abc import Mapping

from daemon import unsubscribe
from daemon.channel_settings import ChannelsSettings
from daemon.letters import Letters, template_folders


def letters_of(packages: Mapping[str, str], settings: ChannelsSettings) -> Letters:
    """`packages`: suite name → its import name."""
    base_url, secret = settings.public.base_url, settings.outbox.unsubscribe_secret.get_secret_value()

    def link(suite: str, recipient: str, channel: str) -> str | None:
        if not base_url or not secret:
            return None
        return unsubscribe.url(base_url, secret, unsubscribe.Subscription(suite, recipient, channel))

    return Letters(template_folders(packages), link)

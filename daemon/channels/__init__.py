"""The ways to reach people: e-mail, SMS, Slack, Discord. `configured` makes those that the settings know."""

from __future__ import annotations

from daemon.channel_settings import ChannelsSettings
from daemon.channels.channel import Channel


def configured(settings: ChannelsSettings) -> dict[str, Channel]:
    """The channels that are set up, by name; none is an answer too. Nothing connects before the first message."""
    return {name: _make(name, settings) for name in settings.configured_channels}


def _make(name: str, settings: ChannelsSettings) -> Channel:
    # Imported one by one, and only when there is something to send with: the libraries cost start-up and memory.
    match name:
        case "email":
            from daemon.channels.email import EmailChannel

            return EmailChannel(settings.email)
        case "sms":
            from daemon.channels.sms import SmsChannel

            return SmsChannel(settings.sms)
        case "slack":
            from daemon.channels.slack import SlackChannel

            return SlackChannel(settings.slack)
        case "discord":
            from daemon.channels.discord import DiscordChannel

            return DiscordChannel(settings.discord)
    raise ValueError(f"there is no channel {name!r}")

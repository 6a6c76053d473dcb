"""The one place that knows what this release is called."""

VERSION = "0.1.0"

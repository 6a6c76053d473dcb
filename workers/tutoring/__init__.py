"""Watches the limits of AI providers and who stands in for whom; cleans up, sums up and keeps what students said."""

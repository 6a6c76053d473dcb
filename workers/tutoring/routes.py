"""What the suite answers over HTTP, under /api/v1."""

from workers.tutoring.health_routes import system_health, system_health_history
from workers.tutoring.provider_routes import pick, provider, providers, usage
from workers.tutoring.usage_routes import usage_analysis_stats, usage_report

__all__ = [
    "pick",
    "provider",
    "providers",
    "system_health",
    "system_health_history",
    "usage",
    "usage_analysis_stats",
    "usage_report",
]

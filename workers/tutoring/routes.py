"""What the suite answers over HTTP, under /api/v1."""

from workers.tutoring.usage_routes import usage_analysis_stats, usage_report

__all__ = ["usage_analysis_stats", "usage_report"]

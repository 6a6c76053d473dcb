"""Rates real flights by charging zone, and bills their operators: weekly or monthly, exactly once."""

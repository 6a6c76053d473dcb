"""A suite for the system tests: effects that can be counted, and work that goes wrong on purpose."""

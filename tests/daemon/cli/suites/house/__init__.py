"""A suite with a job of every kind, for the tests of the command line."""

"""A suite that writes to people, for tests of delivery."""

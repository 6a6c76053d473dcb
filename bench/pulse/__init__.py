"""A suite of one job, that tells how late the daemon's event loop is while others work."""

"""Backups of the whole database: made, listed, verified, restored and pruned; each duty is in a file of its own.

record, manifest   what a backup is, and what it says of itself; files: the checksums of what it consists of
shelf, retention   the directory they stand in, which is the only truth about them; which may leave; glance: for metrics
snapshot           one consistent view that the dump and the figures of the manifest share
tools, place       the server's own pg_dump and pg_restore; running them, and who may at the moment
dump, verify, restore, scratch   making one, proving it, putting it back; databases that exist for that alone
service            all of it for commands; lender, for_jobs: and for jobs
"""

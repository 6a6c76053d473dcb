import sys
import time

import psutil

import bench.queue_ours as q


async def main(**k):
    pg = [p.pid for p in psutil.process_iter(["name"]) if p.info["name"] == "postgres" and p.ppid() == 1]
    import asyncpg

    c = await asyncpg.connect(k["url"])
    t = time.thread_time()
    r = await q.throughput(**k)
    print("cpu", time.thread_time() - t, file=sys.stderr)
    return r

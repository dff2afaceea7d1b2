"""What many devices need, computed from the measured cost of one post, read, reading, bucket and stream."""
import math

# Assumptions of use: a device's posts and reads of its history per day, how much the busiest minutes exceed the mean,
# and the share of a core that may be busy then.
POSTS, READINGS, READS, PEAK, UTILISATION = 96, 4, 20, 3, 0.5
# What is kept: days of raw readings as plain rows until they are sealed, all days of sealed readings and of 5-minute
# buckets, years of hours. A device's buckets per day: one per post.
OPEN_DAYS, RAW_DAYS, BUCKET_DAYS, HOUR_YEARS = 3, 730, 730, 5
# Gardens of ten devices, of which one in a hundred is watched.
WATCHED = 0.001
# The largest machines assumed: cores and disk of a Postgres, cores of a server, connections of a Postgres.
POSTGRES_CORES, POSTGRES_BYTES, SERVER_CORES, CONNECTIONS = 32, 8e12, 8, 500
# The most connections of one loop, by default: readers, writers, long readers and transactions.
LOOP_CONNECTIONS = 2 + 2 + 1 + 4


def needs(devices, unit):
    """What a number of devices needs; `unit` has the measured costs."""
    seconds = 86_400
    rates = {"post": devices * POSTS / seconds * PEAK, "read": devices * READS / seconds * PEAK}
    cores = {
        part: (rates["post"] * unit["cpu_us_per_post"][part] + rates["read"] * unit["cpu_us_per_read"][part]) / 1e6 / UTILISATION
        for part in ("server", "postgres", "redis")
    }
    days = OPEN_DAYS * unit["bytes_per_reading"] + (RAW_DAYS - OPEN_DAYS) * unit["bytes_per_sealed_reading"]
    raw = devices * POSTS * READINGS * days
    buckets = devices * READINGS * (POSTS * BUCKET_DAYS + 24 * 365 * HOUR_YEARS) * unit["bytes_per_bucket"]
    servers = max(2, math.ceil(cores["server"] / SERVER_CORES))
    loops = max(2, math.ceil(cores["server"] / servers))
    connections = (servers + 1) * ((loops + 1) * LOOP_CONNECTIONS + 1)  # one more server runs during a deploy
    strains = {
        "the processors of one Postgres": cores["postgres"] / POSTGRES_CORES, "the disk of one Postgres": (raw + buckets) / POSTGRES_BYTES,
        "Redis' one thread": cores["redis"], "the connections of one Postgres": connections / CONNECTIONS,
    }
    cells = max(1, *(math.ceil(strain) for strain in strains.values()))
    return {
        "devices": devices, "rates": rates, "cores": cores, "raw": raw, "buckets": buckets, "servers": servers, "loops": loops,
        "connections": connections, "memory": servers * unit["resident"] + devices * WATCHED * unit["bytes_per_stream"],
        "cells": cells, "first": max(strains, key=strains.get), "strain": max(strains.values()),
    }


def cost(need, core, gigabyte):
    """The monthly cost at the given prices; cores and disk count twice where there is a standby."""
    postgres = max(2 * need["cells"], math.ceil(need["cores"]["postgres"]))
    cores = need["servers"] * need["loops"] + 2 * postgres + 2 * max(need["cells"], math.ceil(need["cores"]["redis"]))
    return cores * core + 2 * (need["raw"] + need["buckets"]) / 1e9 * gigabyte

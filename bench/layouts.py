"""Measures the cost of a reading to Postgres in each candidate layout of a day's readings: the backend's CPU time, WAL
and disk.

usage: bench/layouts, which starts the stores. A busy machine matters little, since CPU time is measured, not wall-clock
time.

The load is that of the benchmark: requests of ten sensors of one device, a hundred requests per statement.
docs/decisions/0013-rows-of-readings.md has the conclusions.
"""

import os
import pathlib
import statistics
import subprocess

DEVICES, TYPES, REQUESTS, BATCHES, ROUNDS = 640, 10, 100, 200, 5
ROWS = TYPES * REQUESTS * BATCHES

PREPARE = f"""
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS layouts;
SET search_path = layouts;
DROP TABLE IF EXISTS reading, batch;
CREATE UNLOGGED TABLE reading AS
  SELECT batch, request, md5('device' || (request * 7 + batch * {REQUESTS}) % {DEVICES})::uuid AS device_id,
    (request * 7 + batch * {REQUESTS}) % {DEVICES} * {TYPES} + type AS series, 'sensor_of_type_' || type AS sensor_type,
    timestamptz '2026-01-01 00:00:00+00' + (batch * {REQUESTS} + request) * interval '350 ms' AS measured_at,
    round((random() * 100)::numeric, 2)::float8 AS value
  FROM generate_series(0, {BATCHES} - 1) batch, generate_series(0, {REQUESTS} - 1) request,
    generate_series(0, {TYPES} - 1) type;
CREATE UNLOGGED TABLE batch AS SELECT batch, is_sorted,
    array_agg(device_id ORDER BY rank) AS device_ids, array_agg(sensor_type ORDER BY rank) AS sensor_types,
    array_agg(series ORDER BY rank) AS series, array_agg(measured_at ORDER BY rank) AS times,
    array_agg(value ORDER BY rank) AS values
  FROM (
    SELECT reading.*, is_sorted, CASE WHEN is_sorted
      THEN row_number() OVER (PARTITION BY batch, is_sorted ORDER BY device_id, sensor_type COLLATE "C", measured_at)
      ELSE request * {TYPES} + series % {TYPES} END AS rank
    FROM reading, (VALUES (false), (true)) AS form (is_sorted)
  ) ranked GROUP BY batch, is_sorted;
ALTER TABLE batch ADD PRIMARY KEY (batch, is_sorted);
DROP TABLE IF EXISTS request;
CREATE UNLOGGED TABLE request AS SELECT batch, device_id, min(measured_at) AS since,
    array_agg(sensor_type) AS sensor_types, array_agg(measured_at) AS times, array_agg(value) AS values
  FROM reading GROUP BY batch, device_id;
CREATE INDEX ON request (batch);
VACUUM ANALYZE batch, request;
"""

NAMED = """CREATE TABLE {name} (device_id uuid NOT NULL, sensor_type text {collation} NOT NULL,
  measured_at timestamptz NOT NULL, value float8 NOT NULL, PRIMARY KEY (device_id, sensor_type, measured_at))"""
NAMED_ROWS = """INSERT INTO {name} SELECT unnest(device_ids), unnest(sensor_types), unnest(times), unnest(values)
  FROM batch WHERE batch = {batch} AND is_sorted = {is_sorted}"""

# Name: (table, statement for a batch, whether its rows are in key order).
LAYOUTS = {
    "a row, stored in the order of keys: today's": (NAMED.replace("{collation}", ""), NAMED_ROWS, True),
    "… in the order of arrival": (NAMED.replace("{collation}", ""), NAMED_ROWS, False),
    "… in a database that sorts text by a language": (
        NAMED.replace("{collation}", 'COLLATE "en-x-icu"'), NAMED_ROWS, True),
    "a row with a number for its series": (
        """CREATE TABLE {name} (series bigint NOT NULL, measured_at timestamptz NOT NULL, value float8 NOT NULL,
             PRIMARY KEY (series, measured_at))""",
        """INSERT INTO {name} SELECT unnest(series), unnest(times), unnest(values)
             FROM batch WHERE batch = {batch} AND is_sorted = {is_sorted}""", True),
    "a row of arrays for each request, by device": (
        """CREATE TABLE {name} (device_id uuid NOT NULL, since timestamptz NOT NULL, sensor_types text[] NOT NULL,
             times timestamptz[] NOT NULL, values float8[] NOT NULL);
           CREATE INDEX ON {name} (device_id, since)""",
        """INSERT INTO {name} SELECT device_id, since, sensor_types, times, values
             FROM request WHERE batch = {batch}""", False),
    "a row of arrays for each statement, no index": (
        """CREATE TABLE {name} (device_ids uuid[] NOT NULL, sensor_types text[] NOT NULL,
             times timestamptz[] NOT NULL, values float8[] NOT NULL)""",
        """INSERT INTO {name} SELECT device_ids, sensor_types, times, values
             FROM batch WHERE batch = {batch} AND is_sorted = {is_sorted}""", False),
}  # fmt: skip


class Session:
    """One backend, through psql."""

    def __init__(self):
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", os.environ["DATABASE_URL"]]
        self.psql = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.backend = self.ask("SELECT pg_backend_pid()")[0]

    def ask(self, statements):
        self.psql.stdin.write(f"{statements};\n\\echo .\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline()) != ".\n":
            if not line:
                raise SystemExit("layouts: psql has ended")
            lines.append(line.strip())
        return lines

    def nanoseconds(self):
        """The backend's CPU time."""
        return int(pathlib.Path(f"/proc/{self.backend}/schedstat").read_text().split()[0])


def measure(session, layout):
    """Microseconds, and bytes of WAL and of disk, per reading, into an empty table."""
    create, insert, is_sorted = layout
    session.ask("DROP TABLE IF EXISTS tried")
    session.ask(create.format(name="tried"))
    session.ask("CHECKPOINT")
    before = session.ask("SELECT pg_current_wal_insert_lsn()")[0], session.nanoseconds()
    for batch in range(BATCHES):
        session.ask(insert.format(name="tried", batch=batch, is_sorted=is_sorted))
    spent = session.nanoseconds() - before[1]
    wal, disk = session.ask(
        f"SELECT pg_current_wal_insert_lsn() - '{before[0]}'::pg_lsn; SELECT pg_total_relation_size('tried')")
    return spent / 1000 / ROWS, int(wal) / ROWS, int(disk) / ROWS


def main():
    session = Session()
    session.ask(PREPARE)
    found = {name: [] for name in LAYOUTS}
    for _ in range(ROUNDS):
        for name, layout in LAYOUTS.items():
            found[name].append(measure(session, layout))
    session.ask("DROP SCHEMA layouts CASCADE")
    print(f"{ROWS} readings, medians of {ROUNDS} rounds\n")
    print("| Layout | Backend, µs a reading | WAL, bytes | Disk, bytes |\n| --- | --: | --: | --: |")
    for name, rounds in found.items():
        time, wal, disk = (statistics.median(column) for column in zip(*rounds))
        print(f"| {name} | {time:.2f} | {wal:.0f} | {disk:.0f} |")


main()

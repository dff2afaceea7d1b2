-- The contents of a database, a line per table: name, number of rows, a sum and a digest. Equal rows give equal lines,
-- also on a copy of the cluster and in whatever order they are read. Run in one snapshot, by one process.
\pset format unaligned
\pset tuples_only on
\pset fieldsep '|'
SET statement_timeout = 0;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off; -- sums of floating-point numbers depend on the order
SET jit = off;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

-- Readings and buckets are many, so their values are only summed. The readings of the newest days and every other table
-- are also digested, by a sum of hashes, which does not depend on the order. Queues, which empty as they fill, are left
-- out.
WITH tables AS (
  SELECT c.oid, c.relname AS name,
    c.relname ~ '^readings_\d{8}$' AS raw, c.relname IN ('readings_5m', 'readings_1h') AS bucketed,
    row_number() OVER (
      PARTITION BY c.relname ~ '^readings_\d{8}$' AND c.relname <= to_char(now() AT TIME ZONE 'UTC', '"readings_"YYYYMMDD')
      ORDER BY c.relname DESC) AS age
  FROM pg_class c
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    AND c.relname NOT IN ('rollup_queue', 'rollup_additions')
)
SELECT format(
  'SELECT %L, count(*), coalesce(sum(%s), 0), coalesce(sum(%s), 0) FROM %s t',
  name,
  CASE WHEN raw THEN 'value' WHEN bucketed THEN 'sum + count' ELSE '0' END,
  CASE WHEN bucketed OR raw AND (age > 2 OR name > to_char(now() AT TIME ZONE 'UTC', '"readings_"YYYYMMDD')) THEN '0'
    ELSE 'hashtextextended(t::text, 0)::numeric' END,
  oid::regclass)
FROM tables ORDER BY name \gexec

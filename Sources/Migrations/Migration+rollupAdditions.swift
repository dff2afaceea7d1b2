extension Migration {
  static let rollupAdditions = Migration(
    number: 8, name: "rollup additions",
    sql: """
      -- What the readings of one statement add to a bucket, so that none has to be read again to bring it up to date.
      -- An entry without a count says that the bucket is to be made anew from its readings.
      ALTER TABLE rollup_queue
        ADD COLUMN min double precision, ADD COLUMN max double precision, ADD COLUMN sum double precision,
        ADD COLUMN count bigint;
      """)
}

extension Migration {
  static let commitMark = Migration(
    number: 10, name: "commit mark",
    sql: """
      -- One row, whose value changes with every commit that Redis could not be told of: what was cached before is void.
      CREATE TABLE commit_mark (
        id smallint PRIMARY KEY CHECK (id = 1),
        value bigint NOT NULL
      );
      INSERT INTO commit_mark VALUES (1, 0);
      """)
}

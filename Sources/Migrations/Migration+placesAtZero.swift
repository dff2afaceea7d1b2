extension Migration {
  /// The places of before that are next to nothing off the equator or Greenwich.
  static let placesAtZero = Migration(
    number: 47, name: "places at zero",
    sql: """
      -- A place next to nothing off the equator or Greenwich stands there, as a new one does. The area between two is too
      -- small for a double, at which Postgres fails: a part of the index with such places takes no other. So those of
      -- before cannot be moved with the index in place.
      DO $$
      BEGIN
        \(standAtZero("businesses"))
        \(standAtZero("gardens"))
      END $$;
      """)

  /// The indexes of places anew: even a place that is gone stays in what the old ones enclose. Apart from what moves
  /// places, whose rows of before an index that is made in the same transaction would hold.
  static let placesAnew = Migration(
    number: 48, name: "places anew",
    sql: """
      ALTER INDEX IF EXISTS businesses_by_place_anew RENAME TO businesses_by_place;
      ALTER INDEX IF EXISTS gardens_by_place_anew RENAME TO gardens_by_place;
      """,
    apart: makePlacesAnew("businesses", where: "deleted_at IS NULL") + makePlacesAnew("gardens", where: "public") + [
      "DROP INDEX CONCURRENTLY IF EXISTS businesses_by_place",
      "DROP INDEX CONCURRENTLY IF EXISTS gardens_by_place",
    ])

  private static func standAtZero(_ table: String) -> String {
    let isNear = ["latitude", "longitude"].map { "(\($0) <> 0 AND abs(\($0)) < 1e-9)" }.joined(separator: " OR ")
    return """
      IF EXISTS (SELECT FROM \(table) WHERE \(isNear)) THEN
          DROP INDEX IF EXISTS \(table)_by_place;
          UPDATE \(table) SET
            latitude = CASE WHEN abs(latitude) < 1e-9 THEN 0 ELSE latitude END,
            longitude = CASE WHEN abs(longitude) < 1e-9 THEN 0 ELSE longitude END
          WHERE \(isNear);
        END IF;
      """
  }

  private static func makePlacesAnew(_ table: String, where condition: String) -> [String] {
    [
      "DROP INDEX CONCURRENTLY IF EXISTS \(table)_by_place_anew",
      """
      CREATE INDEX CONCURRENTLY \(table)_by_place_anew ON \(table) USING gist (point(longitude, latitude))
      WHERE \(condition)
      """,
    ]
  }
}

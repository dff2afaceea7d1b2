extension Migration {
  /// Moves places that are next to nothing off the equator or Greenwich onto it.
  static let placesAtZero = Migration(
    number: 47, name: "places at zero",
    sql: """
      -- A place next to nothing off the equator or Greenwich stands there, as a new one does. The area between two is too
      -- small for a double, at which Postgres fails: a part of the index with such places takes no other. So those of
      -- before cannot be moved with the index in place; the next migration makes another.
      \(standAtZero("businesses"))
      \(standAtZero("gardens"))
      """,
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS businesses_by_place",
      "DROP INDEX CONCURRENTLY IF EXISTS gardens_by_place",
    ])

  /// Makes the indexes of places anew, apart from what moves places: an index made in the same transaction would hold
  /// their rows of before.
  static let placesAnew = Migration(
    number: 48, name: "places anew",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS businesses_by_position",
      """
      CREATE INDEX CONCURRENTLY businesses_by_position ON businesses USING gist (point(longitude, latitude))
      WHERE deleted_at IS NULL
      """,
      "DROP INDEX CONCURRENTLY IF EXISTS gardens_by_position",
      "CREATE INDEX CONCURRENTLY gardens_by_position ON gardens USING gist (point(longitude, latitude)) WHERE public",
    ])

  private static func standAtZero(_ table: String) -> String {
    """
    UPDATE \(table) SET
      latitude = CASE WHEN abs(latitude) < 1e-9 THEN 0 ELSE latitude END,
      longitude = CASE WHEN abs(longitude) < 1e-9 THEN 0 ELSE longitude END
    WHERE (latitude <> 0 AND abs(latitude) < 1e-9) OR (longitude <> 0 AND abs(longitude) < 1e-9);
    """
  }
}

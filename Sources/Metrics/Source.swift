/// One part of a registry that writes families into a scrape.
enum Source: Sendable {
  case table(SeriesTable)
  case collector(any Collector, [FamilyDescription])
}

/// What holds for the erasure of anything that has readings.
package enum Erasing {
  /// Readings of years may have to go, in milliseconds.
  package static let timeoutMilliseconds = 120_000
}

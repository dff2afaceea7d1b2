/// What holds for the erasure of anything that has readings.
package enum Erasing {
  /// How long a statement of an erasure may take, in milliseconds: years of readings may have to go.
  package static let timeoutMilliseconds = 120_000
}

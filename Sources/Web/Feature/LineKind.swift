/// The kinds of line in an export, in the order in which they may name one another.
package enum LineKind: String, CaseIterable, Sendable {
  case header, profile, garden, device, business, product, order, channel, insight, reading
  /// The buckets of a sensor's readings in an hour of which raw readings are no longer kept.
  case hour
}

/// The kinds of line in an export, in the order in which they may name one another.
package enum LineKind: String, CaseIterable, Sendable {
  case header, profile, garden, device, business, product, order, channel, insight, reading
  /// All readings of a sensor in an hour that is past the time of raw ones.
  case hour
}

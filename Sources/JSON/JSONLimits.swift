/// The bounds of one JSON text; one that exceeds them is refused as malformed.
package struct JSONLimits: Sendable {
  /// Objects and arrays within one another; also the depth to which the reader recurses.
  package var depth = 32
  /// Bytes of the whole text. A backstop: the HTTP layer bounds bodies more tightly.
  package var bytes = 16 << 20
  /// Values of all kinds in one tree, which takes many times the memory of its text.
  package var values = 200_000
  /// Bytes of one number.
  package var numberLength = 1_024

  package init() {}

  package static let `default` = JSONLimits()
}

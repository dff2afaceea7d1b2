/// A piece of the head, in bytes from the head's first byte.
package struct Slice: Equatable, Sendable {
  package var start: UInt32 = 0
  package var length: UInt32 = 0

  init() {}

  @inline(__always)
  init(_ start: Int, upTo end: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    length = UInt32(truncatingIfNeeded: end &- start)
  }

  @inline(__always)
  package var range: Range<Int> { Range(uncheckedBounds: (Int(start), Int(start) &+ Int(length))) }
}

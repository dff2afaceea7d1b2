/// A request's end, for metrics and logs.
package struct Finished: Sendable {
  package let status: Status
  /// Head and body as they came, in bytes.
  package let bytesIn: Int
  /// Head and body as they were handed to the kernel or wait to be, in bytes.
  package let bytesOut: Int
  /// From the turn in which the head was complete to the answer's last byte in the output buffer.
  package let durationNanoseconds: UInt64
  /// The client was gone before the whole answer could be sent.
  package let isDropped: Bool
}

/// The outcome of a request, for metrics and logs.
package struct Finished: Sendable {
  package let status: Status
  /// Head and body as received, in bytes.
  package let bytesIn: Int
  /// Head and body as handed to the kernel or waiting to be, in bytes.
  package let bytesOut: Int
  /// From the turn in which the head was complete to the answer's last byte in the output buffer.
  package let durationNanoseconds: UInt64
  /// Whether the answer was not sent whole, in most cases because the client was gone.
  package let isDropped: Bool
}

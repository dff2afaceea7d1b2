/// The finished spans of one thread, mostly a loop's, on their way to the exporter. Adding one never waits.
///
/// Not Sendable: each loop makes its own. Spans are encoded as they are added; when the exporter falls behind by
/// `bytesPerQueue`, further ones are dropped and counted.
package final class SpanQueue {
  /// The bytes that may wait: 2048 spans of 512 bytes.
  package static let bytesPerQueue = 1 << 20
  /// The number of spans after which the exporter is woken, so that a batch does not wait for the interval.
  static let spansPerCall = 256

  private let exporter: SpanExporter
  private let ring: ByteRing
  private let memory: UnsafeMutableRawBufferPointer
  private var sinceCall = 0

  /// Makes a queue of at most `capacity` bytes.
  package init(_ exporter: SpanExporter, capacity: Int = SpanQueue.bytesPerQueue) {
    self.exporter = exporter
    ring = exporter.makeRing(capacity: capacity)
    memory = .allocate(byteCount: Span.memoryBytes, alignment: 64)
  }

  deinit { memory.deallocate() }

  /// Has the span exported, or drops it when the queue is full.
  package func add(_ span: borrowing Span) {
    var writer = ProtobufWriter(memory)
    span.encode(to: &writer)
    guard ring.append(writer.written) else { return }
    sinceCall += 1
    guard sinceCall == Self.spansPerCall else { return }
    sinceCall = 0
    exporter.call()
  }
}

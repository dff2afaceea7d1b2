import Metrics
import Reactor

/// Renders the metrics, on the housekeeping loop, so that a scrape delays no request.
final class Exposition {
  /// Bytes rendered between two turns of the loop.
  static let sliceBytes = 64 * 1024

  private let registry: Registry
  private unowned(unsafe) let loop: EventLoop
  /// Brings the gauges of all loops up to date and then calls back.
  var refresh: (@escaping () -> Void) -> Void = { $0() }

  init(_ registry: Registry, loop: EventLoop) {
    self.registry = registry
    self.loop = loop
  }

  /// How long a scrape waits for loops to bring their gauges up to date, in nanoseconds: a stuck loop must not hide.
  private static let patienceNanoseconds: UInt64 = 100_000_000

  /// The whole exposition in that format, once the gauges are fresh.
  func render(_ format: ExpositionFormat) async -> [UInt8] {
    let fresh = Pending<Void>()
    refresh { fresh.complete(.success(())) }
    let patience = loop.schedule(afterNanoseconds: Self.patienceNanoseconds) { fresh.complete(.success(())) }
    try? await fresh.value()
    loop.cancel(patience)
    var output: [UInt8] = []
    var renderer = registry.renderer(format)
    while renderer.next(into: &output, maximumBytes: Self.sliceBytes) { await loop.sleep(nanoseconds: 0) }
    return output
  }
}

extension LoopBound<Exposition> {
  /// Renders on the housekeeping loop and comes back to the caller's.
  func render(_ format: ExpositionFormat) async -> [UInt8] {
    await withUnsafeContinuation { continuation in
      submit { exposition in
        exposition.spawnRender(format) { continuation.resume(returning: $0) }
      }
    }
  }
}

extension Exposition {
  fileprivate func spawnRender(_ format: ExpositionFormat, _ done: @escaping @Sendable ([UInt8]) -> Void) {
    loop.spawn { [self] in done(await render(format)) }
  }
}

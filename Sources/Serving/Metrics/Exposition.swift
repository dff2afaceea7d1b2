import HTTP
import Metrics
import Reactor

/// Renders the metrics, on the housekeeping loop, so that a scrape delays no request.
///
/// One page is rendered at a time. Those who ask meanwhile wait for the next one, and share it.
final class Exposition {
  /// Bytes rendered between two turns of the loop.
  static let sliceBytes = 64 * 1024

  private let registry: Registry
  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let memory: MemoryBudget
  private var waiters: [Waiter] = []
  private var isRendering = false
  /// Brings the gauges of all loops up to date and then calls back.
  var refresh: (@escaping () -> Void) -> Void = { $0() }

  init(_ registry: Registry, loop: EventLoop, memory: MemoryBudget) {
    self.registry = registry
    self.loop = loop
    self.memory = memory
  }

  /// Who asked for a page, and whose memory it takes.
  fileprivate struct Waiter {
    let format: ExpositionFormat
    let share: MemoryBudget.Share
    let receive: @Sendable (SharedBytes?) -> Void
  }

  fileprivate func add(_ waiter: Waiter) {
    waiters.append(waiter)
    if isRendering { return }
    isRendering = true
    loop.spawn { [self] in
      while !waiters.isEmpty { await serve() }
      isRendering = false
    }
  }

  /// Serves all who wait by now.
  private func serve() async {
    let served = waiters
    waiters = []
    for format in ExpositionFormat.allCases {
      let those = served.filter { $0.format == format }
      if those.isEmpty { continue }
      let bytes = await render(format)
      for share in [MemoryBudget.Share.known, .unknown] {
        let page = MemoryCharge(bytes.count, of: memory, share).map { SharedBytes(bytes, $0) }
        for waiter in those where waiter.share == share { waiter.receive(page) }
      }
    }
  }

  /// How long a scrape waits for loops to bring their gauges up to date, in nanoseconds: a stuck loop must not hide.
  private static let patienceNanoseconds: UInt64 = 100_000_000

  /// The whole exposition in that format, once the gauges are fresh.
  private func render(_ format: ExpositionFormat) async -> [UInt8] {
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
  /// Has a page rendered on the housekeeping loop, from after this moment on, and comes back to the caller's. Nil when
  /// there is no memory for it.
  func page(_ format: ExpositionFormat, for share: MemoryBudget.Share) async -> SharedBytes? {
    await withLoopContinuation { continuation in
      submit { $0.add(Exposition.Waiter(format: format, share: share) { continuation.resume(returning: $0) }) }
    }
  }
}

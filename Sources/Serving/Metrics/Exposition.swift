import HTTP
import Metrics
import Reactor

/// Renders the metrics, on the housekeeping loop, so that a scrape delays no request.
///
/// One page is rendered at a time. Scrapes that come meanwhile wait for the next one, and share it.
final class Exposition {
  /// Bytes rendered between two turns of the loop.
  static let sliceBytes = 64 * 1024

  private let registry: Registry
  // Invariant 1: the loop outlives it.
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

  /// A scrape that waits for a page, and the share of memory that its page is charged to.
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

  /// Serves all scrapes that wait by now.
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

  /// How long a scrape waits for loops to bring their gauges up to date, in nanoseconds: a stuck loop must not hide the
  /// metrics.
  private static let patienceNanoseconds: UInt64 = 100_000_000

  /// Renders the whole exposition in `format`, once the gauges are fresh.
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
  /// Has a page rendered on the housekeeping loop, begun after this call, and returns to the caller's loop. Nil when
  /// there is no memory for it.
  func page(_ format: ExpositionFormat, for share: MemoryBudget.Share) async -> SharedBytes? {
    await withLoopContinuation { continuation in
      submit { $0.add(Exposition.Waiter(format: format, share: share) { continuation.resume(returning: $0) }) }
    }
  }
}

import Reactor
import Synchronization
import Values

/// Sends finished spans to an OpenTelemetry collector from a thread of its own (OTLP/HTTP, Protocol Buffers).
///
/// Protocol Buffers rather than JSON: every collector takes it, ids stay bytes and nothing needs escaping, so that a
/// span is encoded once, on its loop, and a batch is a mere concatenation.
package final class SpanExporter: Sendable {
  /// Sends a request and returns the answer, or throws why there is none. May block; called on the exporter's thread.
  package typealias Sender = @Sendable (PlainHTTP.Request) throws -> PlainHTTP.Answer

  /// Where spans go, and every bound on the way.
  package struct Configuration: Sendable {
    /// The collector's address for traces, with its path.
    package var url: ServiceURL
    /// Fields that every request carries, such as an API key.
    package var headers: [(name: String, value: String)] = []
    /// How long spans are gathered when there is no full batch.
    package var intervalMilliseconds = 5_000
    /// How long one attempt may take.
    package var timeoutMilliseconds = 10_000
    /// The wait after the first failed attempt; each further one doubles it.
    package var shortestBackoffMilliseconds = 1_000
    /// The longest wait between attempts, also when the collector asks for more.
    package var longestBackoffMilliseconds = 30_000
    /// How many times a batch is sent before it is dropped.
    package var attempts = 6

    package init(url: ServiceURL) { self.url = url }
  }

  private let configuration: Configuration
  private let resource: Resource
  private let logger: SharedLogger
  private let send: Sender
  private let rings = Mutex<[ByteRing]>([])
  private let wake = Wake()
  private let closed = Wake()
  private let isClosing = Atomic<Bool>(false)
  private let exported = Atomic<UInt64>(0)
  private let rejected = Atomic<UInt64>(0)
  private let undelivered = Atomic<UInt64>(0)

  /// Starts the exporting thread. `sender` is what speaks HTTPS; without one only http URLs work.
  package init(_ configuration: Configuration, resource: Resource, logger: SharedLogger, sender: Sender? = nil) {
    self.configuration = configuration
    self.resource = resource
    self.logger = logger
    let timeout = configuration.timeoutMilliseconds
    send = sender ?? { try PlainHTTP.send($0, timeoutMilliseconds: timeout) }
    SystemThread.detached("spans") { [self] in run() }
  }

  /// Spans that the collector accepted, since the start.
  package var exportedSpans: UInt64 { exported.load(ordering: .relaxed) }

  /// Spans that the collector did not want (partial success), since the start.
  package var rejectedSpans: UInt64 { rejected.load(ordering: .relaxed) }

  /// Spans that were dropped because a queue was full or the collector away, since the start.
  package var droppedSpans: UInt64 {
    rings.withLock { $0.reduce(0) { $0 + $1.refusals } } + undelivered.load(ordering: .relaxed)
  }

  /// Sends what is queued, each batch once, and ends the thread; returns false if that took longer than the deadline.
  ///
  /// Blocks the caller: not for a loop that still serves.
  @discardableResult
  package func close(deadlineMilliseconds: Int) -> Bool {
    isClosing.store(true, ordering: .sequentiallyConsistent)
    wake.call()
    return closed.wait(milliseconds: deadlineMilliseconds)
  }

  // MARK: For queues

  func makeRing(capacity: Int) -> ByteRing {
    let ring = ByteRing(capacity: capacity)
    rings.withLock { $0.append(ring) }
    return ring
  }

  /// Wakes the exporting thread, because a batch may be ready.
  func call() { wake.call() }

  // MARK: The exporting thread

  private func run() {
    var isFailing = false
    while true {
      let isLast = isClosing.load(ordering: .sequentiallyConsistent)
      let batch = gather()
      if batch.count > 0 { deliver(batch, &isFailing) }
      if batch.count == SpanBatch.maximumSpans { continue }
      if isLast { return closed.call() }
      wake.wait(milliseconds: configuration.intervalMilliseconds)
    }
  }

  private func gather() -> SpanBatch {
    var batch = SpanBatch()
    for ring in rings.withLock({ $0 }) { batch.take(from: ring) }
    return batch
  }

  /// Sends a batch until it is accepted or refused, or the attempts are used up.
  private func deliver(_ batch: SpanBatch, _ isFailing: inout Bool) {
    let request = request(batch)
    var backoff = configuration.shortestBackoffMilliseconds
    for attempt in 1...configuration.attempts {
      var wait = Int.random(in: backoff / 2...backoff)
      let reason: String
      do {
        let answer = try send(request)
        switch OTLPAnswer(answer) {
        case .accepted(let count): return accepted(batch, rejected: count, &isFailing)
        case .refused: return failed(batch, "status \(answer.status)", &isFailing)
        case .again(let seconds):
          reason = "status \(answer.status)"
          if let seconds { wait = min(seconds, configuration.longestBackoffMilliseconds / 1_000) * 1_000 }
        }
      } catch {
        reason = String(describing: error)
      }
      guard attempt < configuration.attempts, pause(milliseconds: wait) else {
        return failed(batch, reason, &isFailing)
      }
      backoff = min(backoff * 2, configuration.longestBackoffMilliseconds)
    }
  }

  private func request(_ batch: SpanBatch) -> PlainHTTP.Request {
    PlainHTTP.Request(
      method: "POST", url: configuration.url,
      headers: [("Content-Type", "application/x-protobuf"), ("User-Agent", "terroir")] + configuration.headers,
      body: resource.request(spans: batch.bytes))
  }

  private func accepted(_ batch: SpanBatch, rejected count: Int, _ isFailing: inout Bool) {
    let count = max(0, min(count, batch.count))
    exported.add(UInt64(batch.count - count), ordering: .relaxed)
    rejected.add(UInt64(count), ordering: .relaxed)
    if count > 0 { logger.log(.warning, "Spans rejected by the collector") { $0.field("rejected", count) } }
    if isFailing { logger.log(.notice, "Exporting spans again") }
    isFailing = false
  }

  private func failed(_ batch: SpanBatch, _ reason: String, _ isFailing: inout Bool) {
    undelivered.add(UInt64(batch.count), ordering: .relaxed)
    // Once until it works again: a collector that is away for a day is one fact.
    if !isFailing {
      logger.log(.warning, "Spans not exported") {
        $0.field("collector", configuration.url.description)
        $0.field("reason", reason)
        $0.field("dropped", batch.count)
      }
    }
    isFailing = true
  }

  /// Waits; returns false as soon as the exporter is closed.
  private func pause(milliseconds: Int) -> Bool {
    let end = Clock.monotonicMilliseconds() + milliseconds
    while case let left = end - Clock.monotonicMilliseconds(), left > 0 {
      if isClosing.load(ordering: .sequentiallyConsistent) { return false }
      wake.wait(milliseconds: left)
    }
    return !isClosing.load(ordering: .sequentiallyConsistent)
  }
}

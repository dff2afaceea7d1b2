import Postgres
import Reactor
import Values
import Web

/// Late readings that took the store too long with others in a batch: each request alone, one after the other, so that
/// nobody else waits for them.
///
/// Whose request takes too long alone is refused, and whatever else waits of that device. What it sends from then on
/// comes here at once, for a while.
final class SlowReadings {
  /// How long a device is known as slow, in nanoseconds.
  static let memoryNanoseconds: UInt64 = 60_000_000_000
  /// The most devices that are known.
  static let maximumDevices = 1_000

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let store: any ReadingsStore
  private var waiting: WaitingReadings
  private var slow = ShortMemory<Identifier, Void>(lifetimeNanoseconds: memoryNanoseconds, capacity: maximumDevices)
  /// Whose request is being stored; nil while none is.
  private var current: Identifier?

  init(loop: EventLoop, store: any ReadingsStore, waiting: WaitingReadings.Bounds) {
    self.loop = loop
    self.store = store
    self.waiting = WaitingReadings(waiting)
  }

  /// Whether a device's requests are to come here.
  func concerns(_ device: Identifier) -> Bool {
    device == current || waiting.has(device) || slow.value(of: device, at: loop.now) != nil
  }

  /// Takes over requests that wait.
  func take(_ submissions: [ReadingsSubmission]) {
    for submission in submissions where !waiting.add(submission) { submission.settle(Problem(Limit.readings)) }
    if submissions.isEmpty || current != nil { return }
    loop.spawn { [self] in await storeAll() }
  }

  private func storeAll() async {
    while let submission = waiting.take(readings: 0).first {
      current = submission.device
      await store(submission)
    }
    current = nil
  }

  private func store(_ submission: ReadingsSubmission) async {
    guard loop.now < submission.deadline else { return submission.settle(Problem(Limit.readings)) }
    var progress = StoringProgress([submission])
    do {
      try await store.store(ReadingsBatch([submission]), of: [submission], &progress)
      submission.settle()
    } catch {
      progress.note(error, of: [submission])
      submission.settle(error)
      if (error as? PostgresError)?.kind == .timeout { refuse(submission.device) }
    }
  }

  private func refuse(_ device: Identifier) {
    slow.keep((), of: device, at: loop.now)
    for submission in waiting.takeAll(where: { $0.device == device }) { submission.settle(Problem(Limit.readings)) }
  }
}

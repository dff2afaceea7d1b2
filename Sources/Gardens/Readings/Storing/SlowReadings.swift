import Postgres
import Reactor
import Values
import Web

/// Late readings whose batch took the store too long. Each request is stored alone, one after the other, so that no
/// other request waits for them.
///
/// A request that takes too long alone is refused, with all else that waits of its device. What the device sends from
/// then on comes here at once, for a while.
final class SlowReadings {
  /// How long a device is known as slow, in nanoseconds.
  static let memoryNanoseconds: UInt64 = 60_000_000_000
  /// The most devices that are known as slow.
  static let maximumDevices = 1_000

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let store: any ReadingsStore
  private var waiting: WaitingReadings
  private var slow = ShortMemory<Identifier, Void>(lifetimeNanoseconds: memoryNanoseconds, capacity: maximumDevices)
  /// The device whose request is being stored; nil while none is.
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

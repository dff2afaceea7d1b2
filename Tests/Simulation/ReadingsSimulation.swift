import Glibc
import Postgres
import Reactor
import Telemetry
import TestSupport
import Testing
import Values

@testable import Gardens

/// Half a minute of devices that send readings to one loop's writer, over real libpq, while the store has its weather;
/// then a minute of fair weather. All time is simulated, so that a seed runs the same way each time.
final class ReadingsSimulation {
  private static let devices = 4
  private static let requests = 60
  private static let stormNanoseconds: UInt64 = 30_000_000_000
  private static let calmNanoseconds: UInt64 = 60_000_000_000
  /// The most rounds of turns and answers at one moment of the clock.
  private static let mostTurns = 10_000
  /// How often the loop is turned, ten milliseconds of the real clock apart, until it has nothing left to do.
  private static let mostLooks = 1_000

  /// The log of all simulations, shared since each sink has a thread.
  private static let logs = LogSink(
    style: LogStyle(format: .json, level: .error, service: "simulation", version: "", environment: "test"))

  /// The outcome of a reading that its device was told.
  enum Verdict: Hashable { case accepted, duplicate, conflict }

  let store: SimulatedStore
  private let loop: EventLoop
  private let clock: ManualClock
  private let database: Database
  private let writer: ReadingsWriter
  private let types = SensorTypes()
  private var generator: SeededGenerator
  let weather: Weather
  private(set) var verdicts: [StoredTable.Key: [(Double, Verdict)]] = [:]
  /// Readings of requests that were refused at least once, which may have been stored by then.
  private(set) var doubtful: Set<StoredTable.Key> = []
  /// Requests without an outcome.
  private(set) var waiting = 0
  /// How often a request that can be stored was refused, to be sent again.
  private(set) var refused = 0

  /// The weather is `weather`, else it is drawn.
  init(seed: UInt64, _ weather: Weather? = nil) throws {
    generator = SeededGenerator(seed: seed)
    let drawn = Weather(&generator)
    self.weather = weather ?? drawn
    clock = ManualClock(unixMilliseconds: 1_795_000_000_000)
    store = try SimulatedStore(SeededGenerator(seed: generator.next()), self.weather)
    loop = try EventLoop(index: 0, clock: clock, generator: SeededGenerator(seed: generator.next()))
    var configuration = DatabaseConfiguration(url: "postgres://simulation@/simulation?host=\(store.folder)")
    (configuration.readers, configuration.writers, configuration.transactionConnections) = (2, 2, 0)
    database = try Database(loop: loop, configuration: configuration)
    writer = ReadingsWriter(
      loop: loop, database: database,
      partitions: ReadingPartitions(retention: Retention(days: 30), logger: Logger(Self.logs)))
  }

  /// Runs the bad weather, the fair weather after it, and the end of the connections.
  func run() throws {
    try loop.embedded {
      for _ in 0..<Self.requests { sendLater() }
      try go(until: clock.monotonic + Self.stormNanoseconds)
      store.weather = .fair
      try go(until: clock.monotonic + Self.calmNanoseconds)
      database.close()
      try settle()
    }
  }

  // MARK: Time

  private func go(until end: UInt64) throws {
    while clock.monotonic < end {
      try settle()
      clock.advance(to: min(end, store.nextDue, loop.nextDeadline ?? .max))
    }
  }

  /// Has the loop and the store do all that there is to do at this moment.
  private func settle() throws {
    for _ in 0..<Self.mostTurns {
      try #require(turn())
      if !store.act(clock.monotonic) { return }
    }
    Issue.record("The loop and the store do not come to rest at one moment.")
  }

  /// Turns the loop until it has nothing left to do; returns false if it never has. Looks again for a while, since a
  /// process that another test starts holds copies of descriptors that libpq has closed, until it executes its program,
  /// and the poller reports their events until then.
  private func turn() -> Bool {
    (0..<Self.mostLooks).contains { _ in
      if loop.turnByHand(atMost: Self.mostTurns) { return true }
      usleep(10_000)
      return false
    }
  }

  // MARK: Devices

  private func sendLater() {
    let device = Identifier(high: 7, low: UInt64.random(in: 0..<UInt64(Self.devices), using: &generator))
    let readings = generator.happens(weather.poison) ? [reading(0, SimulatedStore.poison)] : someReadings()
    // The first second is for connecting. In steps of 250 ms, some devices send at the same moment and share a batch.
    let step: UInt64 = 250
    let moment = step * generator.milliseconds(1_000 / step...Self.stormNanoseconds / 1_000_000 / step)
    waiting += 1
    loop.schedule(afterNanoseconds: moment) { [self] in
      loop.spawn { [self] in await send(device, readings) }
    }
  }

  /// Readings of few keys, so that devices repeat themselves, now and then with another value than before.
  private func someReadings() -> [Reading] {
    (0..<Int.random(in: 1...12, using: &generator)).map { index in
      let minute = Int64.random(in: 0..<200, using: &generator)
      return reading(index, Double(minute) + (generator.happens(0.05) ? 0.5 : 0), minute: minute)
    }
  }

  private func reading(_ index: Int, _ value: Double, minute: Int64 = 0) -> Reading {
    Reading(
      type: types.type("soil_moisture")!, value: value,
      measuredAt: Timestamp(unixMilliseconds: 1_794_900_000_000 + minute * 60_000), index: index)
  }

  /// Sends `readings` until they are stored, as devices are told to do, but at most 20 times: some can never be stored.
  private func send(_ device: Identifier, _ readings: [Reading]) async {
    for _ in 0..<20 {
      let submission = ReadingsSubmission(device: device, garden: device, readings: readings)
      do {
        note(device, try await writer.store(submission, at: Timestamp(unixMilliseconds: 0)))
        waiting -= 1
        return
      } catch {
        if readings[0].value != SimulatedStore.poison { refused += 1 }
        doubtful.formUnion(readings.map { Self.key(device, $0) })
      }
      await loop.sleep(nanoseconds: generator.milliseconds(500...1_500))
    }
    waiting -= 1
  }

  private func note(_ device: Identifier, _ stored: StoredReadings) {
    let all: [(Verdict, [Reading])] = [
      (.accepted, stored.accepted), (.duplicate, stored.duplicates), (.conflict, stored.conflicts),
    ]
    for (verdict, readings) in all {
      for reading in readings { verdicts[Self.key(device, reading), default: []].append((reading.value, verdict)) }
    }
  }

  private static func key(_ device: Identifier, _ reading: Reading) -> StoredTable.Key {
    let microseconds = (reading.measuredAt.unixMilliseconds - 946_684_800_000) * 1_000
    return StoredTable.Key(device: device, type: reading.type.name, microseconds: microseconds)
  }
}

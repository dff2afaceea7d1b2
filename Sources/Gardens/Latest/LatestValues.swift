import Reactor
import Redis
import Values
import Web

/// The newest reading of each sensor, kept in Redis as a hash for each garden that somebody looks at.
///
/// The hash is made before SQL is asked for its content, and after a COMMIT its readings are merged into the hashes
/// that exist: so none is missed that SQL did not see yet. A late reading, which SQL may not find for some seconds,
/// makes the hash itself. Where both have a value the later time of measurement wins, so that their order does not
/// matter. The name of a hash holds the cache's epoch and the garden's generation: after either has changed, it is
/// never read again. While Redis is away SQL is asked each time.
final class LatestValues {
  /// How long a hash is kept, in milliseconds; merging does not prolong it.
  static let lifetimeMilliseconds: Int64 = 60_000
  /// The most series that go into one call of a script.
  static let seriesPerCall = 2_000
  /// The most gardens of which one call asks whether their hashes exist.
  static let gardensPerCall = 500
  /// The most readings that wait while a call is in flight; with more, all hashes are given up instead.
  static let maximumWaiting = 50_000

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let redis: RedisClient
  private let cache: Cache
  private let prefix: String
  private let record: (CacheResult) -> Void
  private let now: () -> Timestamp
  private var waiting: [Commit] = []
  private var waitingCount = 0
  private var isSending = false
  private let loads = SingleFlight<String, [LatestReading]>()

  init(
    loop: EventLoop, redis: RedisClient, cache: Cache, prefix: String, record: @escaping (CacheResult) -> Void,
    now: @escaping () -> Timestamp
  ) {
    self.loop = loop
    self.redis = redis
    self.cache = cache
    self.prefix = prefix
    self.record = record
    self.now = now
  }

  // MARK: Reading

  /// Returns the newest readings of a garden, in the order of their series; those of `load` where Redis does not have
  /// them.
  func readings(
    of garden: Identifier, load: @escaping () async throws -> [LatestReading]
  ) async throws -> [LatestReading] {
    guard let mark = cache.usableMark, let (hash, known) = await look(up: garden, under: mark) else {
      record(.bypass)
      return try await load()
    }
    if let known {
      record(.hit)
      return known
    }
    record(.miss)
    return try await loads.value(of: hash) { try await fill(hash, with: try await load()) }
  }

  /// Looks up the name of a garden's hash, and its readings if it is whole; nil when Redis does not tell.
  private func look(
    up garden: Identifier, under mark: UInt64
  ) async -> (hash: String, known: [LatestReading]?)? {
    let reply = try? await redis.evaluate(
      LatestScripts.read, keys: keys(of: garden),
      [.integer(Self.lifetimeMilliseconds), .bytes(withUnsafeBytes(of: mark) { Array($0) })])
    if reply == .null { cache.epochIsMissing() }
    guard let parts = reply?.array, let hash = parts.first?.text else { return nil }
    return (hash, parts.count == 2 ? Self.readings(in: parts[1]) : nil)
  }

  /// Merges what SQL found with what was committed meanwhile, and returns both.
  private func fill(_ hash: String, with readings: [LatestReading]) async throws -> [LatestReading] {
    var arguments: [RedisArgument] = [.integer(Self.lifetimeMilliseconds), .integer(Int64(readings.count))]
    for reading in readings { arguments += reading.arguments }
    let reply = try? await redis.evaluate(LatestScripts.fill, keys: [hash], arguments)
    return reply.flatMap(Self.readings) ?? readings
  }

  private static func readings(in reply: RedisReply) -> [LatestReading]? {
    guard let parts = reply.array else { return nil }
    var readings: [LatestReading] = []
    for index in stride(from: 0, to: parts.count - 1, by: 2) {
      guard let field = parts[index].bytes, let content = parts[index + 1].bytes else { return nil }
      // The mark of a whole hash is no reading.
      if let reading = LatestReading(field: field, content: content) { readings.append(reading) }
    }
    return readings.sorted { $0.series < $1.series }
  }

  private func keys(of garden: Identifier) -> [String] {
    [cache.epochKey, cache.generationKey(.latest(in: garden)), "\(prefix)latest:\(garden):"]
  }

  // MARK: Merging commits

  private typealias Commit = (garden: Identifier, device: Identifier, readings: [Reading])

  /// Notes readings that were just committed.
  func accepted(_ garden: Identifier, _ device: Identifier, _ readings: [Reading]) {
    guard cache.isEnabled else { return }
    waiting.append((garden, device, readings))
    waitingCount += readings.count
    if isSending { return }
    isSending = true
    loop.atEndOfTurn(self)
  }

  /// Merges what waits; readings that come while a call is in flight go into the next one together.
  private func sendAll() async {
    while !waiting.isEmpty {
      let (commits, count) = (waiting, waitingCount)
      dropWaiting()
      do throws(RedisError) {
        if count > Self.maximumWaiting { throw .overloaded }
        try await merge(commits)
      } catch {
        // Nothing may go on reading hashes that lack these.
        dropWaiting()
        cache.changeWasLost()
      }
    }
    isSending = false
  }

  private func dropWaiting() {
    waiting.removeAll()
    waitingCount = 0
  }

  private func merge(_ commits: [Commit]) async throws(RedisError) {
    let late = lateGardens(commits)
    let wanted = try await wanted(Set(commits.map(\.garden)).subtracting(late)).union(late)
    if wanted.isEmpty { return }
    var newest: [Identifier: [ReadingSeries: LatestReading]] = [:]
    for (garden, device, readings) in commits where wanted.contains(garden) {
      for reading in readings {
        let series = ReadingSeries(device: device, type: reading.type.name)
        if let known = newest[garden]?[series], known.measuredAt >= reading.measuredAt { continue }
        newest[garden, default: [:]][series] = LatestReading(
          series: series, measuredAt: reading.measuredAt, value: reading.value)
      }
    }
    while !newest.isEmpty { try await send(Self.take(from: &newest), late) }
  }

  /// The gardens with a late reading: where it is the first of its series, SQL does not find that before it is rolled
  /// up.
  private func lateGardens(_ commits: [Commit]) -> Set<Identifier> {
    let openFrom = OpenDays.start(at: now())
    return Set(commits.lazy.filter { commit in commit.readings.contains { $0.measuredAt < openFrom } }.map(\.garden))
  }

  /// Returns those of the gardens whose hashes exist.
  private func wanted(_ gardens: Set<Identifier>) async throws(RedisError) -> Set<Identifier> {
    var wanted: Set<Identifier> = []
    let gardens = Array(gardens)
    for start in stride(from: 0, to: gardens.count, by: Self.gardensPerCall) {
      let part = gardens[start..<min(start + Self.gardensPerCall, gardens.count)]
      let reply = try await redis.evaluate(LatestScripts.wanted, keys: keys(of: part))
      for place in reply.array ?? [] {
        guard let place = place.integer, (1...part.count).contains(Int(place)) else { throw .unexpectedReply }
        wanted.insert(part[start + Int(place) - 1])
      }
    }
    return wanted
  }

  private static func take(
    from newest: inout [Identifier: [ReadingSeries: LatestReading]]
  ) -> [(garden: Identifier, readings: [LatestReading])] {
    var taken: [(garden: Identifier, readings: [LatestReading])] = []
    var count = 0
    while count < seriesPerCall, let (garden, readings) = newest.popFirst() {
      taken.append((garden, Array(readings.values)))
      count += readings.count
    }
    return taken
  }

  private func send(
    _ gardens: [(garden: Identifier, readings: [LatestReading])], _ late: Set<Identifier>
  ) async throws(RedisError) {
    var arguments: [RedisArgument] = []
    for (garden, readings) in gardens {
      arguments.append(.integer(late.contains(garden) ? Self.lifetimeMilliseconds : 0))
      arguments.append(.integer(Int64(readings.count)))
      for reading in readings { arguments += reading.arguments }
    }
    _ = try await redis.evaluate(LatestScripts.merge, keys: keys(of: gardens.map(\.garden)[...]), arguments)
  }

  /// The keys of the scripts for several gardens.
  private func keys(of gardens: ArraySlice<Identifier>) -> [String] {
    gardens.reduce(into: [cache.epochKey]) { $0 += keys(of: $1).dropFirst() }
  }
}

extension LatestValues: TurnEnd {
  func flush() { loop.spawn { [self] in await sendAll() } }
}

import Metrics
import Reactor
import Redis
import Values

/// Publishes what happens on one loop to the clients that watch gardens on any loop of any replica.
///
/// Gardens that nobody watches cost one look-up for many of them at a time. While Redis is away events wait for it, and
/// those in flight when the connection was lost are published again. Where some were dropped, a gap is published
/// instead.
package final class EventPublisher {
  /// The most events that wait; the oldest are dropped for newer ones.
  static let maximumWaiting = 20_000
  /// The most events of one call, which make at most one message for each garden.
  static let eventsPerCall = 250
  /// The most gardens that are looked up at once.
  static let gardensPerCall = 500
  /// The pause before Redis is asked again after it did not answer, in nanoseconds.
  static let pauseNanoseconds: UInt64 = 100_000_000

  private typealias Happening = (garden: Identifier, event: GardenEvent)

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let redis: RedisClient
  private let keys: EventKeys
  private var waiting: [Happening] = []
  /// Gardens of which events were dropped, at most `maximumWaiting`; a gap is published before what is left of theirs.
  private var missed: Set<Identifier> = []
  private var isSending = false
  private let dropped: Counter

  /// Makes the publisher of a loop; `dropped` counts the events that could not be published.
  init(loop: EventLoop, redis: RedisClient, keys: EventKeys, dropped: Counter) {
    self.loop = loop
    self.redis = redis
    self.keys = keys
    self.dropped = dropped
  }

  /// Publishes readings that were just committed.
  func accepted(_ garden: Identifier, _ device: Identifier, _ readings: [Reading]) {
    for reading in readings { waiting.append((garden, .reading(device: device, reading))) }
    start()
  }

  /// Publishes that events of a garden may be missing: once for all requests that end together.
  func maybeMissed(_ garden: Identifier) {
    if let last = waiting.last, last.garden == garden, case .gap = last.event { return }
    waiting.append((garden, .gap))
    start()
  }

  /// Publishes an insight that was just committed; `body` is its JSON, without line breaks.
  package func insight(_ garden: Identifier, _ body: [UInt8]) {
    waiting.append((garden, .insight(body)))
    start()
  }

  /// Has the access of everyone who watches a garden checked again. Called after the COMMIT that took access away.
  /// Should Redis not pass it on, the next heartbeat checks it.
  func accessChanged(_ garden: Identifier) async {
    _ = try? await redis.publish(keys.channel(garden), Self.check)
  }

  static let check = Array("check".utf8)

  private func start() {
    if waiting.count > 2 * Self.maximumWaiting { dropOldest() }
    if isSending { return }
    isSending = true
    loop.atEndOfTurn(self)
  }

  private func dropOldest() {
    let excess = waiting.count - Self.maximumWaiting
    guard excess > 0 else { return }
    drop(waiting.prefix(excess))
    waiting.removeFirst(excess)
  }

  private func drop(_ happenings: ArraySlice<Happening>) {
    for (garden, event) in happenings {
      if missed.count < Self.maximumWaiting { missed.insert(garden) }
      if case .gap = event { continue }
      dropped.increment()
    }
  }

  private func sendAll() async {
    while !waiting.isEmpty {
      let taken = missed.map { (garden: $0, event: GardenEvent.gap) } + waiting
      (waiting, missed) = ([], [])
      let left = await send(taken)
      if left.isEmpty { continue }
      waiting.insert(contentsOf: left, at: 0)
      dropOldest()
      await loop.sleep(nanoseconds: Self.pauseNanoseconds)
    }
    isSending = false
  }

  /// Publishes the events of watched gardens, in their order. Returns what could not be published.
  private func send(_ happenings: [Happening]) async -> ArraySlice<Happening> {
    var watched: [Identifier: Bool] = [:]
    var first = happenings.startIndex
    while first < happenings.endIndex {
      do throws(RedisError) {
        try await lookUp(happenings[first...], &watched)
        let (group, end) = take(happenings[first...], watched)
        if !group.isEmpty { try await publish(group) }
        first = end
      } catch {
        switch error {
        case .unavailable, .timeout, .overloaded: return happenings[first...]
        case .server, .unexpectedReply:
          // Trying again would fail again.
          drop(happenings[first...])
          return []
        }
      }
    }
    return []
  }

  /// Looks up which gardens are watched, if that of the next event is not known yet.
  private func lookUp(
    _ happenings: ArraySlice<Happening>, _ watched: inout [Identifier: Bool]
  ) async throws(RedisError) {
    guard let next = happenings.first, watched[next.garden] == nil else { return }
    var gardens: [Identifier] = []
    for happening in happenings where watched[happening.garden] == nil {
      watched[happening.garden] = false
      gardens.append(happening.garden)
      if gardens.count == Self.gardensPerCall { break }
    }
    let marks: [RedisReply]
    do throws(RedisError) {
      marks = try await redis.values { values in for garden in gardens { values.append(keys.watched(garden)) } }
    } catch {
      for garden in gardens { watched[garden] = nil }
      throw error
    }
    for (garden, mark) in zip(gardens, marks) where mark != .null { watched[garden] = true }
  }

  /// Returns the next events of watched gardens, by garden, and the index where the rest begins.
  private func take(
    _ happenings: ArraySlice<Happening>, _ watched: [Identifier: Bool]
  ) -> (group: [Identifier: [GardenEvent]], end: Int) {
    var group: [Identifier: [GardenEvent]] = [:]
    var count = 0
    for index in happenings.indices {
      let (garden, event) = happenings[index]
      guard let isWatched = watched[garden], count < Self.eventsPerCall else { return (group, index) }
      guard isWatched else { continue }
      group[garden, default: []].append(event)
      count += 1
    }
    return (group, happenings.endIndex)
  }

  private func publish(_ group: [Identifier: [GardenEvent]]) async throws(RedisError) {
    var names: [String] = []
    var arguments: [RedisArgument] = [
      .integer(EventScripts.maximumEvents), .integer(EventScripts.lifetimeMilliseconds),
    ]
    for (garden, events) in group {
      names += [keys.watched(garden), keys.stream(garden)]
      arguments += [.text(keys.channel(garden)), .integer(Int64(events.count))]
      for event in events { arguments += event.arguments }
    }
    _ = try await redis.evaluate(EventScripts.publish, keys: names, arguments)
  }
}

extension EventPublisher: TurnEnd {
  package func flush() { loop.spawn { [self] in await sendAll() } }
}

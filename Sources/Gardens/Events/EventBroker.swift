import Reactor
import Redis
import Values
import Web

/// The event streams of one loop: which clients watch which garden, and whether they still may.
final class EventBroker {
  /// How long streams may go unchecked while the database is away, in nanoseconds.
  static let uncheckedNanoseconds: UInt64 = 60_000_000_000
  /// How long a new stream waits for its hub to be current, in nanoseconds; then Redis is away.
  static let patienceNanoseconds: UInt64 = 1_000_000_000

  private let context: LoopContext
  private var loop: EventLoop { context.loop }
  private let keys: EventKeys
  private let access: EventAccess
  private let heartbeatNanoseconds: UInt64
  private let maximumStreams: Int
  private let shares: ClientShares
  private var hubs: [Identifier: EventHub] = [:]
  private var streams = 0
  private var isClosed = false
  private var isTicking = false
  /// The next look at the commit mark; cancelled when nobody watches, and the next watcher starts it again.
  private var commitTimer: Timer?
  /// The commit mark at which all watchers were last checked: another replica may not have been able to announce that a
  /// garden became private.
  private var checkedMark: UInt64?
  /// When all watchers were last found to be allowed, on the loop's clock.
  private var checkedAt: UInt64 = 0

  init(_ context: LoopContext, keys: EventKeys) {
    self.context = context
    self.keys = keys
    access = EventAccess(database: context.database, credentials: context.credentials)
    let settings = context.configuration.events
    heartbeatNanoseconds = UInt64(settings.heartbeatSeconds) * 1_000_000_000
    maximumStreams = settings.streams
    shares = context.process.eventStreams
    context.subscriber.onStateChange = { [unowned self] isListening in
      for hub in hubs.values { if isListening { hub.reopen() } else { hub.lost() } }
    }
    context.sessions.onEnd = { [unowned self] session in ended { $0.session == session } }
    context.personalTokens.onEnd = { [unowned self] token in ended { $0.token == token } }
  }

  /// Lets a client watch a garden by its role there, from behind the event `resumed`, or from now on. Throws 503 when
  /// there are too many streams or watched gardens, and 429 when the client has too many streams.
  func watch(
    _ garden: Identifier, _ identity: Identity, _ role: GardenRole?, client: String, after resumed: EventID?
  ) async throws -> EventSeat {
    guard !isClosed, streams < maximumStreams else {
      throw Problem(Limit.eventStreams)
    }
    guard let share = shares.take(client) else {
      // By then the heartbeat has ended the streams whose clients are gone.
      throw Problem(
        .tooManyRequests, "You may have \(shares.maximum) event streams open at a time.",
        retryAfterSeconds: Int64(heartbeatNanoseconds / 1_000_000_000))
    }
    let hub = try hub(of: garden)
    let watcher = EventWatcher(identity, seesInsights: role != nil)
    hub.add(watcher, after: resumed)
    streams += 1
    let seat = EventSeat(watcher, share) { [unowned self] in leave(hub, watcher) }
    startTicking()
    await hub.waitUntilCurrent(nanoseconds: Self.patienceNanoseconds)
    return seat
  }

  private func hub(of garden: Identifier) throws -> EventHub {
    if let hub = hubs[garden] { return hub }
    let hub: EventHub
    do throws(RedisError) {
      hub = try EventHub(garden, loop: loop, redis: context.redis, subscriber: context.subscriber, keys: keys) {
        [unowned self] in
        loop.spawn { await self.check([garden]) }
      }
    } catch {
      throw Problem(Limit.watchedGardens)
    }
    hubs[garden] = hub
    return hub
  }

  private func leave(_ hub: EventHub, _ watcher: EventWatcher) {
    if watcher.isCutOff {
      context.logger.log(.info, "Disconnected a slow event stream") { $0.field("garden", hub.garden) }
    }
    watcher.end()
    hub.remove(watcher)
    streams -= 1
    guard hub.watchers.isEmpty else { return }
    hub.close()
    hubs[hub.garden] = nil
  }

  /// Ends all streams, so that clients go on elsewhere, and admits no more.
  func close() {
    isClosed = true
    for hub in hubs.values { for watcher in hub.watchers { watcher.end() } }
  }

  // MARK: Now and then

  private func startTicking() {
    if isTicking { return }
    isTicking = true
    checkedAt = loop.now
    scheduleTick()
    followCommits()
  }

  private func followCommits() {
    let mark = context.process.commitMark.value(at: loop.now)
    if let mark, let checkedMark, mark != checkedMark { loop.spawn { [self] in await check(Array(hubs.keys)) } }
    checkedMark = mark ?? checkedMark
    commitTimer = loop.schedule(afterNanoseconds: CommitMark.intervalNanoseconds) { [weak self] in
      self?.followCommits()
    }
  }

  private func scheduleTick() {
    loop.schedule(afterNanoseconds: heartbeatNanoseconds) { [weak self] in self?.tick() }
  }

  private func tick() {
    guard !hubs.isEmpty else {
      isTicking = false
      if let commitTimer { loop.cancel(commitTimer) }
      return
    }
    for hub in hubs.values { for watcher in hub.watchers { watcher.beat() } }
    loop.spawn { [self] in
      await renewMarks()
      await check(Array(hubs.keys))
    }
    scheduleTick()
  }

  /// Renews what Redis keeps of watched gardens. Where Redis has lost it, all streams of the garden are told of a gap.
  private func renewMarks() async {
    let gardens = Array(hubs.keys)
    let names = gardens.flatMap { [keys.watched($0), keys.stream($0)] }
    // Without an answer nothing is renewed: the hubs reopen when Redis is back.
    let replies = try? await context.redis.pipeline(
      names.map { ["PEXPIRE", .text($0), .integer(EventScripts.lifetimeMilliseconds)] })
    for (index, reply) in (replies ?? []).enumerated() where reply == .integer(0) { hubs[gardens[index / 2]]?.reopen() }
  }

  /// Checks again what the watchers of gardens may see.
  private func check(_ gardens: [Identifier]) async {
    let watching = gardens.compactMap { garden in hubs[garden].map { (garden: garden, watchers: $0.watchers) } }
    do {
      try await access.settle(watching, at: context.now)
      if watching.count == hubs.count { checkedAt = loop.now }
    } catch {
      guard loop.now - checkedAt > Self.uncheckedNanoseconds else { return }
      for (_, watchers) in watching { for watcher in watchers { watcher.end() } }
    }
  }

  /// Checks the watchers whose session or token is said to have ended. Should the database not answer, the next
  /// heartbeat does.
  private func ended(_ isMeant: (UserIdentity) -> Bool) {
    let watching = hubs.values.compactMap { hub -> (garden: Identifier, watchers: [EventWatcher])? in
      let watchers = hub.watchers.filter { if case .user(let user) = $0.identity { isMeant(user) } else { false } }
      return watchers.isEmpty ? nil : (hub.garden, watchers)
    }
    if watching.isEmpty { return }
    loop.spawn { [self] in try? await access.settle(watching, at: context.now) }
  }
}

/// A client's place among the watchers, given up with the last reference to it.
final class EventSeat {
  let watcher: EventWatcher
  private let share: ClientShares.Share
  private let leave: () -> Void

  init(_ watcher: EventWatcher, _ share: ClientShares.Share, leave: @escaping () -> Void) {
    self.watcher = watcher
    self.share = share
    self.leave = leave
  }

  deinit { leave() }
}

import Reactor
import Redis
import Values

/// One garden that clients of this loop watch: one subscription to its channel, shared by all of them.
///
/// At first, and after the connection was lost, the hub is not current: messages that come then are left out, and their
/// events read from the stream, which has all of them. So no event is missed, and none comes twice.
final class EventHub {
  /// How many events are read from the stream at a time.
  static let pageEvents: Int64 = 100
  /// The pause before Redis is asked again after it did not answer, in nanoseconds.
  static let pauseNanoseconds: UInt64 = 100_000_000

  /// How long the hub may not be current before its watchers are told so, in nanoseconds.
  static let graceNanoseconds: UInt64 = 5_000_000_000

  let garden: Identifier
  private(set) var watchers: [EventWatcher] = []
  // Invariant 1: the loop outlives the hub.
  private unowned(unsafe) let loop: EventLoop
  private let redis: RedisClient
  private let subscriber: RedisSubscriber
  private let keys: EventKeys
  private var subscription: RedisSubscription?
  /// The last event that was delivered to the watchers; nil until it is known where the stream ends.
  private var last: EventID?
  /// The last event that was left out because the hub was not current.
  private var leftOut = EventID.zero
  private var isCurrent = false
  /// Whether the watchers were told that events do not come.
  private var isStalled = false
  private var stallTimer: Timer?
  private var isOpening = false
  private var mustReopen = false
  private var isClosed = false
  private let current: WaitList

  /// Subscribes. `check` is called when a watcher may have lost access. Throws when there are too many channels.
  init(
    _ garden: Identifier, loop: EventLoop, redis: RedisClient, subscriber: RedisSubscriber, keys: EventKeys,
    check: @escaping () -> Void
  ) throws(RedisError) {
    self.garden = garden
    self.loop = loop
    current = WaitList(on: loop)
    self.redis = redis
    self.subscriber = subscriber
    self.keys = keys
    subscription = try subscriber.subscribe(keys.channel(garden)) { [unowned self] message in
      if let events = EventText(message: message) { told(events) } else if message == EventPublisher.check { check() }
    }
    reopen()
  }

  /// Ends the subscription; there are no watchers any more.
  func close() {
    isClosed = true
    if let subscription { subscriber.unsubscribe(subscription) }
    subscription = nil
    stopStallTimer()
    current.release()
  }

  // MARK: Watchers

  /// Adds a watcher, which is told of events behind `resumed`, or from when the hub is current.
  func add(_ watcher: EventWatcher, after resumed: EventID?) {
    watchers.append(watcher)
    if isStalled { watcher.tellStalled() }
    loop.spawn { [self] in await join(watcher, after: resumed) }
  }

  func remove(_ watcher: EventWatcher) { watchers.removeAll { $0 === watcher } }

  /// Waits until the hub is current, at most `nanoseconds`.
  func waitUntilCurrent(nanoseconds: UInt64) async {
    if isCurrent || isClosed { return }
    _ = await current.wait(nanoseconds: nanoseconds)
  }

  private func join(_ watcher: EventWatcher, after resumed: EventID?) async {
    var position = resumed
    var isPartial = true
    while !watcher.hasEnded {
      guard isCurrent, let last else {
        await waitUntilCurrent(nanoseconds: 1_000_000_000)
        continue
      }
      guard let from = position, from < last || from > last && isPartial else {
        return watcher.goLive(from: position ?? last)
      }
      do throws(RedisError) {
        let page = try await page(from: from)
        isPartial = page.isFull
        if !page.isWhole { watcher.tellGap() }
        // Without events the stream was lost, and there is nothing to resume from.
        position = page.pieces.last?.last ?? (page.isWhole ? max(from, last) : last)
        for events in page.pieces {
          watcher.replay(watcher.seesInsights ? events : events.forStrangers)
          await watcher.drained()
        }
      } catch {
        await loop.sleep(nanoseconds: Self.pauseNanoseconds)
      }
    }
  }

  // MARK: Events

  private func told(_ events: EventText) {
    guard isCurrent else {
      leftOut = max(leftOut, events.last)
      return
    }
    deliver(events)
  }

  private func deliver(_ events: EventText) {
    // It was read from the stream before its message came.
    if let last, events.last <= last { return }
    last = events.last
    // Made once for all watchers without a role, if there are any.
    let forStrangers = watchers.allSatisfy(\.seesInsights) ? events : events.forStrangers
    for watcher in watchers { watcher.offer(watcher.seesInsights ? events : forStrangers) }
  }

  /// Called when the connection was lost.
  func lost() { fallBehind() }

  /// Called when the connection is there; reads whatever was missed.
  func reopen() {
    fallBehind()
    mustReopen = true
    if isOpening { return }
    isOpening = true
    loop.spawn { [self] in await open() }
  }

  private func open() async {
    while mustReopen, !isClosed {
      mustReopen = false
      guard let subscription, await subscriber.isConfirmed(subscription), (try? await catchUp()) != nil else {
        mustReopen = true
        await loop.sleep(nanoseconds: Self.pauseNanoseconds)
        continue
      }
    }
    isOpening = false
    current.release()
  }

  /// Reads the events of the stream that were not delivered yet; then the hub is current.
  private func catchUp() async throws(RedisError) {
    _ = try await redis.evaluate(
      EventScripts.watch, keys: [keys.watched(garden), keys.stream(garden)],
      [.integer(EventScripts.lifetimeMilliseconds), .text(keys.channel(garden)), .bytes(EventText.gap)])
    if last == nil {
      let newest = try await redis.send("XREVRANGE", .text(keys.stream(garden)), "+", "-", "COUNT", 1)
      let events = EventText.pieces(of: newest.array ?? [], bytes: EventWatcher.pieceBytes)
      last = events.last?.last ?? EventID(before: loop.unixMilliseconds)
    }
    while let from = last {
      let known = leftOut
      let page = try await page(from: from)
      if !page.isWhole { for watcher in watchers where watcher.isLive { watcher.tellGap() } }
      for events in page.pieces { deliver(events) }
      // A full page may end within the events of one call, and events that were left out meanwhile may not be in it.
      if !page.isFull, leftOut == known { break }
    }
    if !mustReopen { becomeCurrent() }
  }

  private func fallBehind() {
    isCurrent = false
    if isStalled || stallTimer != nil { return }
    stallTimer = loop.schedule(afterNanoseconds: Self.graceNanoseconds) { [weak self] in self?.stall() }
  }

  private func stall() {
    stallTimer = nil
    isStalled = true
    for watcher in watchers { watcher.tellStalled() }
  }

  private func becomeCurrent() {
    isCurrent = true
    stopStallTimer()
    if !isStalled { return }
    isStalled = false
    for watcher in watchers { watcher.tellGap() }
  }

  private func stopStallTimer() {
    if let stallTimer { loop.cancel(stallTimer) }
    stallTimer = nil
  }

  /// The events behind a position in the stream.
  private struct Page {
    let pieces: [EventText]
    /// Whether there may be more.
    let isFull: Bool
    /// Whether the event at the position is still there: if not, others behind it may be gone too. A gap at the
    /// beginning says so itself.
    let isWhole: Bool
  }

  private func page(from position: EventID) async throws(RedisError) -> Page {
    let reply = try await redis.send(
      "XRANGE", .text(keys.stream(garden)), .text("\(position)"), "+", "COUNT", .integer(Self.pageEvents + 1))
    var entries = (reply.array ?? [])[...]
    let isFull = entries.count > Int(Self.pageEvents)
    let isThere = entries.first?.array?.first?.text == "\(position)"
    if isThere { entries.removeFirst() }
    let isWhole = isThere || entries.first.map(EventText.isGap) ?? false
    let pieces = EventText.pieces(of: entries, bytes: EventWatcher.pieceBytes)
    return Page(pieces: pieces, isFull: isFull, isWhole: isWhole)
  }
}

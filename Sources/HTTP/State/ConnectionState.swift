import Reactor

/// The state machine of one client's connection. Pure: it is told what came, what was sent and what time it is, and
/// returns what to do; `Connection` does it.
///
/// Reading, writing and the end are states beside each other. Reading, one request at a time:
///
///     ┌──────┐   part of a head    ┌──────┐
///     │ idle │ ──────────────────→ │ head │
///     └──────┘                     └──────┘
///       ↑  │ a whole head             │ its rest
///       │  └─────────────┐   ┌────────┘
///       │                ↓   ↓
///       │ answered    ┌─────────┐  its body is wanted whole    ┌──────┐
///       └──────────── │         │ ───────────────────────────→ │ body │
///                     │         │ ←─────────────────────────── └──────┘
///                     │ request │  the body is there, or refused  ↑ the body is let in
///                     │         │  piece by piece, or not yet  ┌────────┐
///                     │         │ ───────────────────────────→ │ stream │
///                     └─────────┘ ←─────────────────────────── └────────┘
///                                  all of it was taken
///
/// Each of them goes to `nothing` when the end begins. Writing:
///
///     ┌─────────┐  something to send  ┌────────┐  the socket is full  ┌─────────┐
///     │ settled │ ──────────────────→ │ queued │ ───────────────────→ │ blocked │
///     └─────────┘                     └────────┘                      └─────────┘
///          ↑             all is sent      │          all is sent           │
///          └──────────────────────────────┴────────────────────────────────┘
///
/// The end; `closed` may follow from any state:
///
///     ┌──────┐  a last answer  ┌─────┐  it is there  ┌───────┐  it is sent   ┌───────────┐      ┌────────┐
///     │ open │ ──────────────→ │ due │ ────────────→ │ begun │ ────────────→ │ lingering │ ───→ │ closed │
///     └──────┘                 └─────┘               └───────┘  more may     └───────────┘      └────────┘
///         └────── the client has ended ────────────────↑   │    have come                            ↑
///                                                          └────────── it is sent ───────────────────┘
///
/// Only the bytes tell whether a head or body is whole and whether output is left: events carry it, from the parser,
/// `BodyReader` and the buffers, which have states of their own. What guards the call stack of `Connection` stays
/// there.
struct ConnectionState {
  /// What the bytes that come next are.
  enum Reading {
    /// The first of a request.
    case idle
    /// More of a head.
    case head
    /// More of a body that is wanted whole.
    case body
    /// More of a body that a handler takes piece by piece, or that was not let in yet.
    case stream
    /// The next request's, which waits until this one is answered.
    case request
    /// Of no use.
    case nothing
  }

  enum Writing {
    case settled
    /// What there is to send will be sent at the end of the turn.
    case queued
    /// The socket is full: the rest is sent when it has room again, and nothing more is read until then.
    case blocked
  }

  enum Ending {
    case open
    /// The answer to the request in hand is the last one.
    case due
    /// What is left of the last answer is being sent.
    case begun
    /// Everything is sent; what the client still sends is dropped, since a reset would destroy the last answer.
    case lingering
    case closed
  }

  /// How a connection ends after its last answer, each stronger than the one before.
  enum Manner: Int {
    case close
    /// Waits for the client, which may still be sending.
    case linger
    /// With a reset, which tells the client that the answer is not whole.
    case abort
  }

  private(set) var reading = Reading.idle
  private(set) var writing = Writing.settled
  private(set) var ending = Ending.open
  private(set) var manner = Manner.close
  /// Whether the client has sent its last byte; it may still wait for answers (half-close).
  private(set) var hasPeerEnded = false
  /// Whether input cannot be used at the moment, so that epoll is not to report it.
  private(set) var isPaused = false
  /// Whether the client waits for 100 (Continue) before it sends its body.
  private(set) var owesContinue = false
  /// Whether the answer in hand replaces one that there was no memory for.
  private(set) var isRefusingForMemory = false
  private var droppedBytes = 0
  /// When the head, the wait for one, or the end began: nanoseconds of the monotonic clock.
  private(set) var since: UInt64
  private(set) var bodyClock = TransferClock(0)
  private(set) var writeClock = TransferClock(0)

  init(_ now: UInt64) { since = now }

  var isClosed: Bool { ending == .closed }
  /// Whether a further request may follow.
  var isOpen: Bool { ending == .open }
  var isBetweenRequests: Bool { reading == .idle || reading == .head }
  /// Whether the end of the connection follows at once after what is sent.
  var isSendingLast: Bool { ending == .begun && manner != .abort }

  /// What epoll is to wait for.
  var interest: Readiness {
    if writing == .blocked { return .writable }
    return isPaused || hasPeerEnded ? [] : .readable
  }

  // MARK: Reading

  /// Returns what to do when the socket has bytes, or may have more.
  @inline(__always)
  mutating func readable(isBodyWanted: @autoclosure () -> Bool) -> Read {
    switch reading {
    case .idle, .head, .body: if writing != .blocked, !hasPeerEnded { return .use }
    case .stream: if isBodyWanted() { return .use }
    case .nothing where ending == .lingering: return .drop
    case .nothing where ending == .closed: return .nothing
    case .request, .nothing: break
    }
    isPaused = true
    return .pause
  }

  /// Ends a pause; returns whether there was one, so that epoll has to report input again.
  @inline(__always)
  mutating func resume() -> Bool {
    defer { isPaused = false }
    return isPaused
  }

  /// Returns what the bytes that were read are for; `hasRoom` is whether the output has room for an answer.
  @inline(__always)
  func use(hasInput: Bool, hasRoom: @autoclosure () -> Bool) -> Use {
    switch reading {
    case .idle, .head: hasInput && hasRoom() ? .parseHead : .nothing
    case .body: .takeBody
    case .stream: .passBody
    case .request, .nothing: .nothing
    }
  }

  /// Called when all input was used that could be. A connection whose client sends no more ends.
  @inline(__always)
  mutating func used(hasInput: Bool, hasRoom: @autoclosure () -> Bool, _ now: UInt64) -> Action {
    guard isBetweenRequests else { return .none }
    if hasPeerEnded, hasRoom() { return beginEnding(now) }
    assert(reading == .head || !hasInput || !hasRoom(), "Bytes are kept for which no deadline runs.")
    return hasInput ? .none : .releaseInput
  }

  /// Notes that the client has ended its side.
  mutating func peerEnded() -> Action {
    hasPeerEnded = true
    return switch reading {
    case .idle, .head: .process
    case .body, .stream: .failBody(.early)
    case .nothing where ending == .lingering: .close
    case .request, .nothing: .none
    }
  }

  /// Notes that a part of a head has come; its time runs from the first part.
  mutating func headContinues(_ now: UInt64) {
    guard reading == .idle else { return }
    reading = .head
    since = now
  }

  /// Notes that a head is whole, or will not be read further.
  @inline(__always)
  mutating func requestBegan() {
    assert(isBetweenRequests, "A request begins within another, or behind the end.")
    reading = .request
  }

  // MARK: Bodies

  /// Notes that the request has an unread body; `owesContinue` tells whether the client waits for 100 (Continue).
  mutating func bodyDeclared(owesContinue: Bool) { self.owesContinue = owesContinue }

  /// Holds the body back until its handler asks for more (`bodyAsked`) or it is wanted whole (`bodyAwaited`).
  mutating func bodyHeld(_ now: UInt64) {
    reading = .stream
    bodyClock = TransferClock(now)
    bodyClock.pause(now)
  }

  /// Notes that the body is wanted whole; its time runs from now.
  mutating func bodyAwaited(_ now: UInt64) {
    reading = .body
    bodyClock = TransferClock(now)
  }

  /// Notes that a handler wants more of the body: the client's time runs.
  mutating func bodyAsked(_ now: UInt64) { bodyClock.resume(now) }

  /// Notes that a handler has something to do: the client's time rests.
  mutating func bodyPaused(_ now: UInt64) { bodyClock.pause(now) }

  mutating func bodyMoved(_ count: Int, _ now: UInt64) { bodyClock.moved(count, now) }

  /// Notes that the body is whole, or that the rest of it is of no use.
  mutating func bodyEnded() {
    assert(reading != .nothing, "A body ends behind the end.")
    reading = .request
  }

  /// Returns whether to send 100 (Continue), which is no longer owed then (RFC 9110, section 10.1.1).
  mutating func takeContinue() -> Bool {
    defer { owesContinue = false }
    return owesContinue
  }

  // MARK: Answers

  /// Makes the answer in hand the last one. The strongest manner of ending counts.
  mutating func end(_ manner: Manner) {
    guard ending == .open || ending == .due else { return }
    ending = .due
    if manner.rawValue > self.manner.rawValue { self.manner = manner }
  }

  /// Notes that there was no memory for the answer and another one takes its place.
  mutating func refuseForMemory() {
    isRefusingForMemory = true
    end(.linger)
  }

  /// Notes that the whole answer to the request in hand waits to be sent.
  @inline(__always)
  mutating func answered(_ now: UInt64) -> Action {
    if ending == .due { return beginEnding(now) }
    since = now
    reading = .idle
    return isPaused ? .resume : .process
  }

  // MARK: Writing

  /// Notes that there is something to send; returns whether it must be scheduled.
  @inline(__always)
  mutating func queue() -> Bool {
    guard writing == .settled else { return false }
    writing = .queued
    return true
  }

  /// Notes that what there is to send is being sent.
  @inline(__always)
  mutating func dequeue() { if writing == .queued { writing = .settled } }

  /// Notes that the socket is full after it took `sent` bytes; returns whether that is new.
  mutating func blocked(sent: Int, _ now: UInt64) -> Bool {
    let isNew = writing != .blocked
    if isNew {
      writing = .blocked
      writeClock = TransferClock(now)
    }
    if sent > 0 { writeClock.moved(sent, now) }
    return isNew
  }

  /// Notes that the socket took everything; returns whether it had been full.
  @inline(__always)
  mutating func unblocked() -> Bool {
    guard writing == .blocked else { return false }
    writing = .settled
    return true
  }

  /// Called when nothing is left to send: what waited for that goes on.
  @inline(__always)
  mutating func sent(hasInput: Bool, _ now: UInt64) -> Action {
    if ending == .begun { return endSending(hasInput, now) }
    guard isBetweenRequests, hasInput || hasPeerEnded || isPaused else { return .none }
    since = now
    return .resume
  }

  // MARK: The end

  private mutating func beginEnding(_ now: UInt64) -> Action {
    ending = .begun
    reading = .nothing
    since = now
    return .sendLast
  }

  /// Closes, unless the client might still send: closing then would reset the connection, and a reset can destroy an
  /// answer that the client has not read yet (RFC 9112, section 9.6).
  private mutating func endSending(_ hasInput: Bool, _ now: UInt64) -> Action {
    if manner == .abort { return .abort }
    if hasPeerEnded { return .close }
    guard manner == .linger || hasInput else { return .finish }
    ending = .lingering
    since = now
    isPaused = false
    return .linger
  }

  /// Counts bytes that were dropped while lingering; returns whether more may be.
  mutating func dropped(_ count: Int, limit: Int) -> Bool {
    droppedBytes += count
    return droppedBytes <= limit
  }

  /// Notes that the socket is closed; returns who was waiting for something from it.
  mutating func close() -> Waiter {
    let waiter: Waiter =
      switch reading {
      case .body: .client
      case .stream, .request: .handler
      case .idle, .head, .nothing: .nobody
      }
    reading = .nothing
    ending = .closed
    return waiter
  }
}

import Reactor

/// Turns at something of which one loop does only so much at a time, for long reads. How many wait is bounded, and for
/// how long.
///
/// Whoever has waited longest is next. But a client that has had turns counts as having come later, by a multiple of
/// the time that these took: one whose reads are slow lets all others pass, which then wait for one of its reads alone.
final class Turns {
  /// How much later a client counts as having come, as a multiple of the time that its turns took.
  static let delayFactor: UInt64 = 4
  /// How far ahead a client counts as coming at most, in nanoseconds.
  static let longestDelayNanoseconds: UInt64 = 30_000_000_000
  /// The number of clients above which those are forgotten that no longer count as having come later.
  static let rememberedClients = 64

  /// A turn that a client has.
  struct Turn {
    fileprivate let client: String
    fileprivate let began: UInt64
  }

  private final class Waiter {
    let client: String
    /// On the loop's clock.
    let came: UInt64
    let turn = Pending<Turn>()

    init(_ client: String, came: UInt64) {
      self.client = client
      self.came = came
    }
  }

  // Invariant 1: the loop outlives it.
  private unowned(unsafe) let loop: EventLoop
  private var free: Int
  private var waiting: [Waiter] = []
  /// Before which moment of the loop's clock clients do not count as having come, for those that have had turns.
  private var delays: [String: UInt64] = [:]

  /// Makes `count` turns at a time.
  init(_ count: Int, on loop: EventLoop) {
    self.loop = loop
    free = count
  }

  /// Waits for a client's turn, which ends with `end`. Throws 503 when `maximum` others wait already, or the turn does
  /// not come within `nanoseconds`.
  func take(for client: String, behind maximum: Int, nanoseconds: UInt64) async throws -> Turn {
    if free > 0 {
      free -= 1
      return Turn(client: client, began: loop.now)
    }
    guard waiting.count < maximum else { throw Problem(Limit.longReads) }
    let waiter = Waiter(client, came: loop.now)
    waiting.append(waiter)
    let timer = loop.schedule(afterNanoseconds: nanoseconds) { [weak self] in
      self?.waiting.removeAll { $0 === waiter }
      waiter.turn.complete(.failure(Problem(Limit.longReads)))
    }
    defer { loop.cancel(timer) }
    return try await waiter.turn.value()
  }

  /// Ends a turn, and gives it to the next one that waits.
  func end(_ turn: Turn) {
    delay(turn.client, forTurnSince: turn.began)
    guard let next = waiting.indices.min(by: { (place(waiting[$0]), $0) < (place(waiting[$1]), $1) }) else {
      free += 1
      return
    }
    let waiter = waiting.remove(at: next)
    waiter.turn.complete(.success(Turn(client: waiter.client, began: loop.now)))
  }

  private func place(_ waiter: Waiter) -> UInt64 { max(waiter.came, delays[waiter.client] ?? 0) }

  private func delay(_ client: String, forTurnSince began: UInt64) {
    let now = loop.now
    let from = max(began, delays[client] ?? 0)
    delays[client] = min(from + Self.delayFactor * (now - began), now + Self.longestDelayNanoseconds)
    if delays.count > Self.rememberedClients { delays = delays.filter { $0.value > now } }
  }
}

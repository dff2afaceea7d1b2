import Reactor

/// Turns at something of which one loop does only so much at a time, such as long reads. How many wait is bounded, and
/// for how long.
///
/// Whoever has waited longest is next. But a client that has had turns counts as having come later, by a multiple of
/// the time that these took: one that is slow lets all others pass, which then wait for a single turn of it.
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
  private let maximumOfEach: Int
  private let limit: Limit
  private var free: Int
  /// The number of turns of each client that has any.
  private var held: [String: Int] = [:]
  private var waiting: [Waiter] = []
  /// Before which moment of the loop's clock clients do not count as having come, for those that have had turns.
  private var delays: [String: UInt64] = [:]

  /// Makes `count` turns at a time, and at most `maximumOfEach` of each client. `limit` is what a refusal names.
  init(_ count: Int, ofEach maximumOfEach: Int = .max, on loop: EventLoop, limit: Limit) {
    self.loop = loop
    self.maximumOfEach = maximumOfEach
    self.limit = limit
    free = count
  }

  /// Waits for a client's turn, which ends with `end`. Throws 503 when `maximum` others wait already, or the turn does
  /// not come within `nanoseconds`.
  func take(for client: String, behind maximum: Int, nanoseconds: UInt64) async throws -> Turn {
    if mayBegin(client) { return begin(client) }
    guard waiting.count < maximum else { throw Problem(limit) }
    let waiter = Waiter(client, came: loop.now)
    waiting.append(waiter)
    let timer = loop.schedule(afterNanoseconds: nanoseconds) { [weak self, limit] in
      self?.waiting.removeAll { $0 === waiter }
      waiter.turn.complete(.failure(Problem(limit)))
    }
    defer { loop.cancel(timer) }
    return try await waiter.turn.value()
  }

  /// Ends a turn; the next one that waits and may have a turn gets one.
  func end(_ turn: Turn) {
    free += 1
    let left = held[turn.client, default: 1] - 1
    held[turn.client] = left == 0 ? nil : left
    delay(turn.client, forTurnSince: turn.began)
    let ready = waiting.indices.filter { mayBegin(waiting[$0].client) }
    guard let next = ready.min(by: { (place(waiting[$0]), $0) < (place(waiting[$1]), $1) }) else { return }
    let waiter = waiting.remove(at: next)
    waiter.turn.complete(.success(begin(waiter.client)))
  }

  private func mayBegin(_ client: String) -> Bool { free > 0 && held[client, default: 0] < maximumOfEach }

  private func begin(_ client: String) -> Turn {
    free -= 1
    held[client, default: 0] += 1
    return Turn(client: client, began: loop.now)
  }

  private func place(_ waiter: Waiter) -> UInt64 { max(waiter.came, delays[waiter.client] ?? 0) }

  private func delay(_ client: String, forTurnSince began: UInt64) {
    let now = loop.now
    let from = max(began, delays[client] ?? 0)
    delays[client] = min(from + Self.delayFactor * (now - began), now + Self.longestDelayNanoseconds)
    if delays.count > Self.rememberedClients { delays = delays.filter { $0.value > now } }
  }
}

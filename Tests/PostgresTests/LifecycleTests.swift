import Testing

@testable import Postgres

@Suite("A connection's states")
struct LifecycleTests {
  private func lifecycle() -> Lifecycle { Lifecycle(shortestPauseMilliseconds: 50, longestPauseMilliseconds: 1_000) }

  /// Begins a new attempt to connect with the event `first`.
  private func attempt(_ lifecycle: inout Lifecycle, _ first: Lifecycle.Event) {
    _ = lifecycle.on(first, chance: 0)
    _ = lifecycle.on(.resolved, chance: 0)
  }

  @Test("lead from the start to readiness")
  func connects() {
    var lifecycle = lifecycle()
    #expect(lifecycle.on(.start, chance: 0) == .resolve)
    #expect(lifecycle.on(.resolved, chance: 0) == .none)
    #expect(lifecycle.state == .connecting)
    #expect(lifecycle.on(.connected, chance: 0) == .none)
    #expect(lifecycle.state == .ready)
    #expect(lifecycle.on(.start, chance: 0) == .none)
  }

  @Test("pauses double from 50 ms to 1 s, less up to a half at random, and start over after a success")
  func pauses() {
    var lifecycle = lifecycle()
    attempt(&lifecycle, .start)
    var milliseconds: [UInt64] = []
    for _ in 0..<7 {
      guard case .pause(let nanoseconds) = lifecycle.on(.failed, chance: 0.999_999_999) else { return }
      milliseconds.append((nanoseconds + 500_000) / 1_000_000)
      attempt(&lifecycle, .pauseOver)
    }
    #expect(milliseconds == [50, 100, 200, 400, 800, 1_000, 1_000])
    #expect(lifecycle.on(.failed, chance: 0) == .pause(500_000_000))
    attempt(&lifecycle, .pauseOver)
    _ = lifecycle.on(.connected, chance: 0)
    #expect(lifecycle.on(.lost, chance: 0) == .pause(25_000_000))
  }

  @Test("a host that times out, rather than refuses, comes later in the next attempt")
  func rotation() {
    var lifecycle = lifecycle()
    attempt(&lifecycle, .start)
    _ = lifecycle.on(.failed, chance: 0)
    #expect(lifecycle.rotation == 0)
    attempt(&lifecycle, .pauseOver)
    _ = lifecycle.on(.timedOut, chance: 0)
    #expect(lifecycle.rotation == 1)
  }

  @Test("late events, and all events after the close, change nothing")
  func lateEvents() {
    var lifecycle = lifecycle()
    #expect(lifecycle.on(.lost, chance: 0) == .none)
    #expect(lifecycle.on(.pauseOver, chance: 0) == .none)
    attempt(&lifecycle, .start)
    #expect(lifecycle.on(.lost, chance: 0) == .none)
    #expect(lifecycle.on(.close, chance: 0) == .release)
    for event in [.start, .resolved, .connected, .failed, .timedOut, .lost, .pauseOver, .close] as [Lifecycle.Event] {
      #expect(lifecycle.on(event, chance: 0) == .none)
    }
  }
}

import Testing

@testable import HTTP

@Suite("Every state of a connection")
struct ConnectionSearchTests {
  private let states = ConnectionSearch().states

  @Test("reads nothing more once the end has begun, and only then")
  func ends() {
    for (name, state) in states {
      let isOver = state.ending != .open && state.ending != .due
      #expect((state.reading == .nothing) == isOver, "\(name)")
    }
  }

  @Test("waits for something: a handler, epoll, or the end of the turn")
  func attention() {
    // Except for a client that has ended its sending while its body is awaited: the body's deadline ends that wait.
    for (name, state) in states where !state.isClosed && !(state.reading == .body && state.hasPeerEnded) {
      let isHandled = state.reading == .request || state.reading == .stream
      #expect(isHandled || !state.interest.isEmpty || state.writing == .queued, "\(name)")
    }
  }

  @Test("that waits for the client has a deadline")
  func deadlines() {
    for (name, state) in states where !state.isClosed {
      let isHandled = state.reading == .request || state.reading == .stream && state.bodyClock.isPaused
      let waits = state.writing == .blocked || state.writing == .settled && !isHandled
      let action = state.overdue(1 << 60, HTTPLimits(), isShort: false, isDraining: false)
      if waits { #expect(action != .none, "\(name)") }
    }
  }

  @Test("is one of fewer than 1000, among which are all states of reading and writing, and lingering")
  func reach() {
    let names = states.keys
    for word in ["idle", "head", "body", "stream", "request", "nothing", "settled", "queued", "blocked", "lingering"] {
      #expect(names.contains { $0.contains(word) }, "\(word)")
    }
    #expect(states.count < 1_000)
  }
}

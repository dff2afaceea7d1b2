import Reactor
import Testing

@testable import HTTP

/// The state machine alone, driven by the events that a socket, a clock and handlers would cause.
@Suite("A connection's state")
struct ConnectionStateTests {
  static func state(after events: [ConnectionEvent]) -> ConnectionState {
    var state = ConnectionState(0)
    for event in events { state.tell(event) }
    return state
  }

  /// The answer to the last of `events`, and the states after it.
  private func last(_ events: [ConnectionEvent]) -> String {
    var state = Self.state(after: events.dropLast())
    let said = state.tell(events.last!)
    return "\(said): \(state.reading), \(state.writing), \(state.ending), \(state.manner)"
  }

  static let requests: [([ConnectionEvent], String)] = [
    ([.part], "-: head, settled, open, close"),
    ([.part, .part], "-: head, settled, open, close"),
    ([.head], "-: request, settled, open, close"),
    ([.part, .head], "-: request, settled, open, close"),
    ([.head, .queue, .answered], "process: idle, queued, open, close"),
    ([.head, .readable], "pause: request, settled, open, close"),
    ([.head, .readable, .queue, .answered], "resume: idle, queued, open, close"),
    ([.head, .awaited], "-: body, settled, open, close"),
    ([.head, .awaited, .whole], "-: request, settled, open, close"),
    ([.head, .held], "-: stream, settled, open, close"),
    ([.head, .held, .awaited], "-: body, settled, open, close"),
    ([.head, .held, .asked, .whole], "-: request, settled, open, close"),
    ([.head, .end(.close), .queue, .answered], "sendLast: nothing, queued, begun, close"),
    ([.head, .noMemory, .queue, .answered], "sendLast: nothing, queued, begun, linger"),
    ([.head, .queue, .answered, .dequeue, .sent], "none: idle, settled, open, close"),
    ([.head, .queue, .answered, .dequeue, .sentWithInput], "resume: idle, settled, open, close"),
    ([.used], "releaseInput: idle, settled, open, close"),
    ([.part, .usedWithInput], "none: head, settled, open, close"),
    ([.head, .used], "none: request, settled, open, close"),
  ]

  @Test("goes from one request to the next, or to the end", arguments: requests)
  func request(_ events: [ConnectionEvent], _ expected: String) { #expect(last(events) == expected) }

  static let reads: [([ConnectionEvent], String)] = [
    ([.readable], "use"),
    ([.part, .readable], "use"),
    ([.head, .awaited, .readable], "use"),
    ([.head, .readable], "pause"),
    ([.head, .held, .readable], "pause"),
    ([.head, .held, .readableWanted], "use"),
    ([.queue, .dequeue, .full(0), .readable], "pause"),
    ([.peerEnded, .readable], "pause"),
    ([.head, .end(.close), .queue, .answered, .readable], "pause"),
    ([.head, .end(.linger), .queue, .answered, .dequeue, .sent, .readable], "drop"),
    ([.close, .readable], "nothing"),
  ]

  @Test("reads what can be used, and leaves the rest where it is", arguments: reads)
  func read(_ events: [ConnectionEvent], _ expected: String) {
    var state = Self.state(after: events.dropLast())
    #expect(state.tell(events.last!) == expected)
    #expect(state.isPaused == (expected == "pause"))
    if expected == "pause" { #expect(!state.interest.contains(.readable)) }
  }

  @Test("has epoll wait only for room while the socket is full, and for bytes again afterwards")
  func blocking() {
    var state = Self.state(after: [.head, .queue])
    #expect(state.tell(.queue) == "false")
    let told = ([.dequeue, .full(10), .full(0), .queue] as [ConnectionEvent]).map { state.tell($0) }
    #expect(told == ["-", "true", "false", "false"])
    #expect(state.interest == .writable)
    #expect(([.emptied, .emptied] as [ConnectionEvent]).map { state.tell($0) } == ["true", "false"])
    #expect(state.interest == .readable)
  }

  static let peerEnds: [([ConnectionEvent], String)] = [
    ([], "process"), ([.part], "process"), ([.head], "none"), ([.head, .awaited], "failBody"),
    ([.head, .held], "failBody"), ([.head, .held, .whole], "none"), ([.head, .end(.close), .queue, .answered], "none"),
    ([.head, .end(.linger), .queue, .answered, .dequeue, .sent], "close"),
  ]

  @Test("answers a client that has half-closed, unless the client owes a body", arguments: peerEnds)
  func peerEnd(_ events: [ConnectionEvent], _ expected: String) {
    var state = Self.state(after: events)
    #expect(state.tell(.peerEnded).hasPrefix(expected))
    #expect(!state.interest.contains(.readable))
  }

  @Test("ends when nothing more will come, but not before there is room to answer what has come")
  func halfClose() {
    var state = Self.state(after: [.peerEnded])
    #expect(state.tell(.usedWithoutRoom) == "releaseInput")
    #expect(state.tell(.usedWithInput) == "sendLast")
    #expect(state.tell(.sentWithInput) == "close")
  }

  static let endings: [([ConnectionState.Manner], Bool, Bool, String)] = [
    ([.close], false, false, "finish"), ([.close], true, false, "linger"), ([.close], false, true, "close"),
    ([.linger], false, false, "linger"), ([.linger], false, true, "close"), ([.abort], true, true, "abort"),
    ([.linger, .close], false, false, "linger"), ([.abort, .linger], false, false, "abort"),
    ([.close, .abort], false, false, "abort"),
  ]

  @Test("ends in the strongest manner that was asked for, once all is sent", arguments: endings)
  func ending(_ manners: [ConnectionState.Manner], _ hasInput: Bool, _ hasPeerEnded: Bool, _ expected: String) {
    var state = Self.state(after: [.head] + manners.map { .end($0) } + (hasPeerEnded ? [.peerEnded] : []))
    #expect(!state.isOpen && !state.isSendingLast)
    #expect(([.queue, .answered] as [ConnectionEvent]).map { state.tell($0) } == ["true", "sendLast"])
    #expect(state.isSendingLast == (expected != "abort"))
    state.tell(.dequeue)
    #expect(state.tell(hasInput ? .sentWithInput : .sent) == expected)
  }

  static let closes: [([ConnectionEvent], String)] = [
    ([], "nobody"), ([.part], "nobody"), ([.head], "handler"), ([.head, .held], "handler"),
    ([.head, .awaited], "client"), ([.head, .awaited, .whole], "handler"),
    ([.head, .end(.close), .queue, .answered], "nobody"), ([.close], "nobody"),
  ]

  @Test("says at a close who was waiting", arguments: closes)
  func close(_ events: [ConnectionEvent], _ expected: String) {
    var state = Self.state(after: events)
    #expect(state.tell(.close) == expected)
    #expect(state.isClosed && state.reading == .nothing)
    for event in [.readable, .used, .usedWithInput, .sent, .close] as [ConnectionEvent] {
      #expect(["nothing", "none", "nobody"].contains(state.tell(event)))
    }
    state.tell(.end(.abort))
    #expect(state.isClosed)
  }

  @Test("owes 100 (Continue) once, and bounds what it drops")
  func bounds() {
    var state = Self.state(after: [.head, .declared])
    #expect(([.continues, .continues] as [ConnectionEvent]).map { state.tell($0) } == ["true", "false"])
    #expect([60, 40, 1].map { state.dropped($0, limit: 100) } == [true, true, false])
  }

  // MARK: Deadlines

  /// Events, the milliseconds after which the connection must act, the same while memory is short, and the action.
  static let deadlines: [([ConnectionEvent], Int, Int, String)] = [
    ([], 75_000, 75_000, "closeIdle"),
    ([.part], 10_000, 1_000, "refuseHead"),
    ([.head, .awaited], 15_000, 1_000, "failBody(late)"),
    ([.head, .held, .asked], 15_000, 1_000, "failBody(late)"),
    ([.head, .queue, .dequeue, .full(0)], 30_000, 1_000, "abort"),
    ([.head, .queue, .answered, .dequeue, .full(0)], 30_000, 1_000, "abort"),
    ([.head, .end(.linger), .queue, .answered, .dequeue, .sent], 5_000, 5_000, "close"),
  ]

  @Test("bounds how long a client may take, more tightly while memory is short", arguments: deadlines)
  func deadline(_ events: [ConnectionEvent], _ usual: Int, _ short: Int, _ expected: String) {
    let state = Self.state(after: events)
    for (milliseconds, isShort) in [(usual, false), (short, true)] {
      let moment = UInt64(milliseconds) * 1_000_000
      #expect(state.overdue(moment, HTTPLimits(), isShort: isShort, isDraining: false) == .none)
      let action = state.overdue(moment + 1, HTTPLimits(), isShort: isShort, isDraining: false)
      #expect("\(action)".replacing("HTTP.ConnectionState.BodyFailure.", with: "") == expected)
    }
  }

  @Test("gives a handler all the time it needs, and counts none of it against the client")
  func handlers() {
    let ever = UInt64(1) << 60
    for events in [[.head], [.head, .held], [.head, .held, .asked, .whole]] as [[ConnectionEvent]] {
      let state = Self.state(after: events)
      #expect(state.overdue(ever, HTTPLimits(), isShort: true, isDraining: true) == .none)
    }
    var state = Self.state(after: [.head, .held])
    state.tell(.asked, at: ever)
    #expect(state.overdue(ever + 15_000_000_000, HTTPLimits(), isShort: false, isDraining: false) == .none)
  }

  @Test("waits for a request for less time while the server drains")
  func draining() {
    let state = ConnectionState(0)
    #expect(state.overdue(1_000_000_000, HTTPLimits(), isShort: false, isDraining: true) == .none)
    #expect(state.overdue(1_000_000_001, HTTPLimits(), isShort: false, isDraining: true) == .closeIdle)
  }
}

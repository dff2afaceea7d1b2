import Reactor

@testable import HTTP

/// Every state that a connection can reach, found by trying all events in each.
struct ConnectionSearch {
  /// The states found, by all that distinguishes them except their clocks.
  private(set) var states: [String: ConnectionState] = [:]
  private var isNew: [ConnectionState] = []

  init() {
    note([ConnectionState(0)])
    while let state = isNew.popLast() { note(next(state)) }
  }

  private mutating func note(_ found: [ConnectionState]) {
    for state in found where states.updateValue(state, forKey: Self.name(state)) == nil { isNew.append(state) }
  }

  static func name(_ state: ConnectionState) -> String {
    let flags = [
      "ended": state.hasPeerEnded, "paused": state.isPaused, "refusing": state.isRefusingForMemory,
      "standing": state.bodyClock.isPaused,
    ].filter(\.value).keys.sorted()
    return "\(state.reading) \(state.writing) \(state.ending) \(state.manner) \(flags)"
  }

  // MARK: What can happen

  private func next(_ state: ConnectionState) -> [ConnectionState] {
    if state.isClosed { return [] }
    var found = [changed(state) { _ = $0.close() }] + reading(state) + sending(state)
    found += perform(state.overdue(1 << 60, HTTPLimits(), isShort: false, isDraining: false), state)
    switch state.reading {
    case .request: found += handling(state) + [changed(state) { $0.bodyHeld(0) }, awaitingBody(state)]
    // An answer before the body is whole is the connection's last.
    case .stream:
      found += handling(changed(state) { $0.end(.linger) }) + handling(changed(state) { $0.bodyEnded() })
      found += [awaitingBody(state), changed(state) { $0.bodyPaused(0) }]
      found.append(
        changed(state) {
          $0.bodyAsked(0)
          _ = $0.resume()
        })
    case .body: found += [changed(state) { $0.bodyEnded() }] + perform(.failBody(.early), state)
    case .idle, .head, .nothing: break
    }
    return found
  }

  /// The socket is read, since epoll reports it or a handler wants its body.
  private func reading(_ state: ConnectionState) -> [ConnectionState] {
    guard state.interest.contains(.readable) else { return [] }
    var found: [ConnectionState] = []
    for isWanted in [false, true] {
      var state = state
      let read = state.readable(isBodyWanted: isWanted)
      found.append(state)
      guard read == .use || read == .drop else { continue }
      found += perform(.process, state)
      let action = state.peerEnded()
      found += perform(action, state)
    }
    return found
  }

  /// The waiting output is sent, all of it or a part.
  private func sending(_ state: ConnectionState) -> [ConnectionState] {
    if state.writing == .settled { return [] }
    var state = state
    state.dequeue()
    let full = changed(state) { _ = $0.blocked(sent: 0, 0) }
    _ = state.unblocked()
    return [full] + sent(state)
  }

  private func sent(_ state: ConnectionState) -> [ConnectionState] {
    [false, true].flatMap { hasInput in
      var state = state
      return perform(state.sent(hasInput: hasInput, 0), state)
    }
  }

  /// A handler answers, or writes a piece of a stream.
  private func handling(_ state: ConnectionState) -> [ConnectionState] {
    let endings: [(inout ConnectionState) -> Void] = [
      { _ in }, { $0.end(.close) }, { $0.end(.linger) }, { $0.end(.abort) }, { $0.refuseForMemory() },
    ]
    return [changed(state) { _ = $0.queue() }] + endings.flatMap { answered(changed(state, $0)) }
  }

  private func answered(_ state: ConnectionState) -> [ConnectionState] {
    var state = state
    _ = state.queue()
    return perform(state.answered(0), state)
  }

  private func awaitingBody(_ state: ConnectionState) -> ConnectionState {
    changed(state) {
      $0.bodyAwaited(0)
      _ = $0.resume()
    }
  }

  // MARK: What the connection does

  private func perform(_ action: ConnectionState.Action, _ state: ConnectionState) -> [ConnectionState] {
    switch action {
    case .none, .releaseInput, .linger: return [state]
    case .process: return process(state)
    case .resume: return process(changed(state) { _ = $0.resume() })
    case .sendLast: return [changed(state) { _ = $0.queue() }] + (state.writing == .settled ? sent(state) : [])
    case .finish, .close, .abort: return [changed(state) { _ = $0.close() }]
    case .closeIdle: return [state, changed(state) { _ = $0.close() }]
    case .refuseHead: return refuse(changed(state) { $0.requestBegan() })
    case .failBody: return state.reading == .stream ? [state] : refuse(changed(state) { $0.bodyEnded() })
    }
  }

  private func refuse(_ state: ConnectionState) -> [ConnectionState] { answered(changed(state) { $0.end(.linger) }) }

  /// The input holds a request, a part of one or nothing, or has to wait for room in the output.
  private func process(_ state: ConnectionState) -> [ConnectionState] {
    guard state.use(hasInput: true, hasRoom: true) == .parseHead else { return [state] }
    var found = [changed(state) { $0.requestBegan() }] + used(changed(state) { $0.headContinues(0) }, true, true)
    if state.reading == .idle { found += used(state, false, true) }
    if state.writing != .settled { found += used(state, true, false) }
    return found
  }

  private func used(_ state: ConnectionState, _ hasInput: Bool, _ hasRoom: Bool) -> [ConnectionState] {
    var state = state
    return perform(state.used(hasInput: hasInput, hasRoom: hasRoom, 0), state)
  }

  private func changed(_ state: ConnectionState, _ change: (inout ConnectionState) -> Void) -> ConnectionState {
    var state = state
    change(&state)
    return state
  }
}

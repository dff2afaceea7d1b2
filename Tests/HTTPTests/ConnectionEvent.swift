@testable import HTTP

/// An event in the life of a connection, as its state hears of it.
enum ConnectionEvent {
  case part, head, declared, held, awaited, asked, whole, continues
  case end(ConnectionState.Manner), noMemory, answered
  case queue, dequeue, full(Int), emptied, sent, sentWithInput
  case readable, readableWanted, resume, used, usedWithInput, usedWithoutRoom, peerEnded, close
}

extension ConnectionState {
  /// Tells the state of `event`; returns its answer as text, "-" where it has none.
  @discardableResult
  mutating func tell(_ event: ConnectionEvent, at now: UInt64 = 0) -> String {
    switch event {
    case .part: headContinues(now)
    case .head: requestBegan()
    case .declared: bodyDeclared(owesContinue: true)
    case .held: bodyHeld(now)
    case .awaited: bodyAwaited(now)
    case .asked: bodyAsked(now)
    case .whole: bodyEnded()
    case .continues: return "\(takeContinue())"
    case .end(let manner): end(manner)
    case .noMemory: refuseForMemory()
    case .answered: return "\(answered(now))"
    case .queue: return "\(queue())"
    case .dequeue: dequeue()
    case .full(let count): return "\(blocked(sent: count, now))"
    case .emptied: return "\(unblocked())"
    case .sent: return "\(sent(hasInput: false, now))"
    case .sentWithInput: return "\(sent(hasInput: true, now))"
    case .readable: return "\(readable(isBodyWanted: false))"
    case .readableWanted: return "\(readable(isBodyWanted: true))"
    case .resume: return "\(resume())"
    case .used: return "\(used(hasInput: false, hasRoom: true, now))"
    case .usedWithInput: return "\(used(hasInput: true, hasRoom: true, now))"
    case .usedWithoutRoom: return "\(used(hasInput: false, hasRoom: false, now))"
    case .peerEnded: return "\(peerEnded())"
    case .close: return "\(close())"
    }
    return "-"
  }
}

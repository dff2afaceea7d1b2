import CLinux
import Glibc
import Reactor

/// Reading, and finding the heads of requests in what was read.
extension Connection {
  /// Reads what has come, a bounded number of times, and uses it.
  func readable() {
    for _ in 0..<server.limits.readsPerTurn {
      guard wantsToRead() else { return }
      if phase == .lingering {
        if !discard() { return }
        continue
      }
      guard input.prepare(server.inputBlocks) else { return close() }
      if !input.isLarge, isHeadPartial && input.room == 0 || body != nil { growInput() }
      if phase == .closed { return }
      let room = input.room
      // Full of requests that wait until answers before theirs are sent.
      if room == 0 { return }
      let count = retrying { recv(fd, input.tail, room, 0) }
      if count > 0 {
        input.append(count)
        process()
        // A short read has emptied the socket.
        if count < room { return }
      } else if count == 0 {
        peerEnded()
        return
      } else {
        if errno != EAGAIN { close() } else { rest() }
        return
      }
    }
  }

  /// Takes a large block for a head that the small one cannot hold, or a body that goes on. A body can do without, if
  /// its head has left room.
  private func growInput() {
    let before = input.base
    guard input.grow(server.inputBlocks), let before, let base = input.base else {
      if input.room == 0 { close() }
      return
    }
    request.relocate(base - before, input.fields)
  }

  /// Whether bytes could be used now; if not, epoll is told not to mention them.
  private func wantsToRead() -> Bool {
    switch phase {
    case .closed: return false
    case .head, .body, .lingering: if !isWriteBlocked, !hasPeerEnded { return true }
    case .handling: if body != nil, wantsStreamedBody { return true }
    case .closing: break
    }
    pauseReading()
    return false
  }

  /// Uses what was read: heads and bodies, one after another, until more must come or an answer must be waited for.
  func process() {
    // A handler that answers at once must not come back here: the loop below goes on by itself.
    if isProcessing { return }
    isProcessing = true
    while true {
      switch phase {
      case .head where !input.isEmpty && output.count < server.limits.outputBytes:
        if parseHead() { continue }
      case .body: if readBody() { continue }
      case .handling: readStreamedBody()
      default: break
      }
      break
    }
    isProcessing = false
    rest()
  }

  /// Gives back what an idle connection does not need, and closes one that nothing more will come from.
  private func rest() {
    guard phase == .head else { return }
    if hasPeerEnded, output.count < server.limits.outputBytes {
      beginClosing()
    } else if input.isEmpty {
      input.release(to: server.inputBlocks)
    }
  }

  /// The client has sent its last byte; it may still wait for answers (half-close).
  private func peerEnded() {
    hasPeerEnded = true
    updateInterest()
    switch phase {
    case .head: process()
    case .body: bodyFailed(.malformed("The body ends too early"))
    case .handling: if body != nil { bodyFailed(.malformed("The body ends too early")) }
    case .lingering: close()
    case .closing, .closed: break
    }
  }

  // MARK: Heads

  /// Parses the next head and acts on it; false when more bytes are needed, or nothing more is wanted.
  private func parseHead() -> Bool {
    let bytes = input.bytes
    if bytes.count < parseFrom, !hasNewLine(bytes) {
      scanned = bytes.count
      return false
    }
    let table = FieldTable(base: input.fields, capacity: server.limits.headerFields)
    switch server.parser.parse(bytes.bytes, into: &request.head, fields: table) {
    case .needMore:
      noteIncompleteHead(bytes.count)
      return false
    case .request(let used):
      headIsOver()
      request.adopt(bytes.baseAddress, table.base)
      input.consumeHead(used)
      bytesIn = used
      dispatch()
      return true
    case .malformed(let fault):
      headIsOver()
      request.adopt(bytes.baseAddress, table.base)
      bytesIn = bytes.count
      input.consumeHead(bytes.count)
      refuseUnrouted(.malformed(fault))
      return false
    }
  }

  /// Whether bytes that were not looked at before complete a line. Looking again only then, or when the bytes have
  /// doubled, keeps the work linear in the head's length however slowly it comes.
  private func hasNewLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
    memchr(bytes.baseAddress! + scanned, Int32(ASCII.lineFeed), bytes.count - scanned) != nil
  }

  private func noteIncompleteHead(_ count: Int) {
    if !isHeadPartial {
      isHeadPartial = true
      since = loop.now
    }
    scanned = count
    parseFrom = min(count * 2, server.limits.headBytes + 1)
  }

  @inline(__always)
  private func headIsOver() {
    isHeadPartial = false
    scanned = 0
    parseFrom = 0
  }

  /// Answers a head that did not come in time.
  func headIsLate() {
    request.head = RequestHead()
    bytesIn = input.count
    input.consumeHead(input.count)
    headIsOver()
    refuseUnrouted(.malformed(RequestFault(.requestTimeout, "The request did not arrive in time")))
  }
}

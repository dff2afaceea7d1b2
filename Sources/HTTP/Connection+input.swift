import CLinux
import Glibc
import Reactor

/// Reading, and finding the heads of requests in what was read.
extension Connection {
  /// Reads what has come, a bounded number of times, and uses it.
  func readable() {
    for _ in 0..<server.limits.readsPerTurn {
      switch state.readable(isBodyWanted: wantsStreamedBody) {
      case .use: break
      case .drop:
        if !discard() { return }
        continue
      case .pause: return updateInterest()
      case .nothing: return
      }
      guard input.prepare(server.inputBlocks) else { return close() }
      if !input.isLarge, state.reading == .head && input.room == 0 || body != nil { growInput() }
      if state.isClosed { return }
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

  /// Uses what was read: heads and bodies, one after another, until more must come or an answer must be waited for.
  func process() {
    if isProcessing { return }
    isProcessing = true
    while true {
      switch state.use(hasInput: !input.isEmpty, hasRoom: hasRoom) {
      case .parseHead: if parseHead() { continue }
      case .takeBody: if readBody() { continue }
      case .passBody: readStreamedBody()
      case .nothing: break
      }
      break
    }
    isProcessing = false
    rest()
  }

  /// Gives back what an idle connection does not need, and closes one that nothing more will come from.
  private func rest() { perform(state.used(hasInput: !input.isEmpty, hasRoom: hasRoom, loop.now)) }

  /// Whether the output has room for a further answer.
  private var hasRoom: Bool { output.count < server.limits.outputBytes }

  /// The client has sent its last byte; it may still wait for answers (half-close).
  private func peerEnded() {
    let action = state.peerEnded()
    updateInterest()
    if !state.isClosed { perform(action) }
  }

  // MARK: Heads

  /// Parses the next head and acts on it; false when more bytes are needed, or nothing more is wanted.
  private func parseHead() -> Bool {
    if isLineFeedDue, !endEmptyLine() { return false }
    let bytes = input.bytes
    if bytes.count < parseFrom, !hasNewLine(bytes) {
      scanned = bytes.count
      return false
    }
    let table = FieldTable(base: input.fields, capacity: server.limits.headerFields)
    switch server.parser.parse(bytes.bytes, into: &request.head, fields: table) {
    case .needMore:
      dropEmptyLines()
      if input.isEmpty { headIsOver() } else { noteIncompleteHead(input.count) }
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

  /// Drops the lines before a head that are no part of it, for its time would run and the next request may come much
  /// later. Half of one is dropped as well: a connection that has begun no request holds nothing, and is idle.
  private func dropEmptyLines() {
    input.consume(RequestParser.emptyLines(input.bytes.bytes))
    guard input.bytes.elementsEqual([ASCII.carriageReturn]) else { return }
    input.consume(1)
    isLineFeedDue = true
  }

  /// Drops the other half of an empty line; false when nothing is behind it, or something else in its place.
  private func endEmptyLine() -> Bool {
    isLineFeedDue = false
    guard input.bytes[0] == ASCII.lineFeed else {
      refuseHead(RequestParser.loneReturn)
      return false
    }
    input.consume(1)
    return !input.isEmpty
  }

  /// Whether bytes that were not looked at before complete a line. Looking again only then, or when the bytes have
  /// doubled, keeps the work linear in the head's length however slowly it comes.
  private func hasNewLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
    memchr(bytes.baseAddress! + scanned, Int32(ASCII.lineFeed), bytes.count - scanned) != nil
  }

  private func noteIncompleteHead(_ count: Int) {
    state.headContinues(loop.now)
    scanned = count
    parseFrom = min(count * 2, server.limits.headBytes + 1)
  }

  @inline(__always)
  private func headIsOver() {
    scanned = 0
    parseFrom = 0
  }

  /// Answers a head that was not parsed.
  func refuseHead(_ fault: RequestFault) {
    request.head = RequestHead()
    bytesIn = input.count
    input.consumeHead(input.count)
    headIsOver()
    refuseUnrouted(.malformed(fault))
  }
}

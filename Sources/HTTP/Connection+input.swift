import CLinux
import Glibc
import Reactor

/// Reading, and finding the heads of requests in what was read.
extension Connection {
  /// Reads what has come, at most `HTTPLimits.readsPerTurn` times, and uses it.
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
      // The block is full of requests that wait until earlier answers are sent.
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

  /// Takes a large block, for a head that the small one cannot hold or a body that goes on. If there is no memory for
  /// one, a body makes do with the small one; where its head has left no room, the connection is closed.
  private func growInput() {
    let before = input.base
    guard input.grow(server.inputBlocks), let before, let base = input.base else {
      if input.room == 0 { close() }
      return
    }
    request.relocate(base - before, input.fields)
  }

  /// Uses what was read: heads and bodies, one after another, until more bytes must come or an answer is awaited.
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

  /// Frees the input block of an idle connection, and ends a connection whose client sends no more.
  private func rest() { perform(state.used(hasInput: !input.isEmpty, hasRoom: hasRoom, loop.now)) }

  /// Whether the output has room for a further answer.
  private var hasRoom: Bool { output.count < server.limits.outputBytes }

  /// Called when the client has sent its last byte; it may still wait for answers (half-close).
  private func peerEnded() {
    let action = state.peerEnded()
    updateInterest()
    if !state.isClosed { perform(action) }
  }

  // MARK: Heads

  /// Parses the next head and acts on it; returns false when more bytes are needed, or nothing more is wanted.
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
      if input.isEmpty { forgetScan() } else { noteIncompleteHead(input.count) }
      return false
    case .request(let used):
      forgetScan()
      request.adopt(bytes.baseAddress, table.base)
      input.consumeHead(used)
      bytesIn = used
      dispatch()
      return true
    case .malformed(let fault):
      forgetScan()
      request.adopt(bytes.baseAddress, table.base)
      bytesIn = bytes.count
      input.consumeHead(bytes.count)
      refuseUnrouted(.malformed(fault))
      return false
    }
  }

  /// Drops empty lines before a head: the head's time would run from them, and the next request may come much later.
  /// Half of one is dropped as well, so that a connection that has begun no request holds nothing and is idle.
  private func dropEmptyLines() {
    input.consume(RequestParser.emptyLines(input.bytes.bytes))
    guard input.bytes.elementsEqual([ASCII.carriageReturn]) else { return }
    input.consume(1)
    isLineFeedDue = true
  }

  /// Drops the other half of an empty line; returns false when nothing follows it, or when another byte comes in its
  /// place, which is refused.
  private func endEmptyLine() -> Bool {
    isLineFeedDue = false
    guard input.bytes[0] == ASCII.lineFeed else {
      refuseHead(RequestParser.loneReturn)
      return false
    }
    input.consume(1)
    return !input.isEmpty
  }

  /// Whether the bytes that were not looked at before complete a line. Parsing again only then, or when the bytes have
  /// doubled, bounds the work to once per line and doubling, however slowly the head comes.
  private func hasNewLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
    memchr(bytes.baseAddress! + scanned, Int32(ASCII.lineFeed), bytes.count - scanned) != nil
  }

  private func noteIncompleteHead(_ count: Int) {
    state.headContinues(loop.now)
    scanned = count
    parseFrom = min(count * 2, server.limits.headBytes + 1)
  }

  @inline(__always)
  private func forgetScan() {
    scanned = 0
    parseFrom = 0
  }

  /// Refuses a head that is incomplete or malformed, with all that was read.
  func refuseHead(_ fault: RequestFault) {
    request.head = RequestHead()
    bytesIn = input.count
    input.consumeHead(input.count)
    forgetScan()
    refuseUnrouted(.malformed(fault))
  }
}

import CLinux
import Glibc
import Reactor

/// Writing heads and bodies of answers, and sending them.
extension Connection {
  // MARK: Heads

  /// Writes the status line and the fields that every answer has.
  @inline(__always)
  func beginHead(_ status: Status) {
    settleReuse()
    output.append(status.line)
    appendVaryingFields()
  }

  /// Writes an answer that is already rendered: its fixed part, then the varying fields and the body.
  func write(_ answer: FixedAnswer) {
    settleReuse()
    answer.head.withUnsafeBytes { output.append($0) }
    appendVaryingFields()
    endFields()
    if request.method != .head, !answer.status.isBodiless { output.append(answer.body) }
  }

  /// Decides whether the connection can be used again, and which share of the memory the answer is charged to.
  @inline(__always)
  private func settleReuse() {
    output.share = request.share
    // The connection cannot be used again if a part of the body is still to come.
    if body != nil, !skipBody() { state.end(.linger) }
    if !request.head.keepsAlive || server.isDraining { state.end(.close) }
  }

  /// Appends the fields that every answer has and that change.
  @inline(__always)
  private func appendVaryingFields() {
    output.append(server.date.bytes(loop.unixMilliseconds), DateField.byteCount)
    application.addFields(to: FieldWriter(self), for: request)
  }

  /// Ends the head of an answer with a body of `length` bytes; returns whether the body itself follows.
  @inline(__always)
  func endHead(_ status: Status, _ length: Int) -> Bool {
    if !status.isBodiless { appendContentLength(length) }
    endFields()
    return request.method != .head && !status.isBodiless
  }

  @inline(__always)
  private func appendContentLength(_ length: Int) {
    output.append("Content-Length: ")
    output.append(decimal: length)
    output.append("\r\n")
  }

  /// Appends the Connection field, where there is one, and the empty line (RFC 9112, section 9.6).
  @inline(__always)
  private func endFields() {
    if !state.isOpen {
      output.append("Connection: close\r\n\r\n")
    } else if request.head.minorVersion == 0 {
      output.append("Connection: keep-alive\r\n\r\n")
    } else {
      output.append("\r\n")
    }
  }

  // MARK: Streams

  /// The state of an answer's body that is being streamed.
  struct StreamState {
    /// The number of its request, so that a writer kept longer than that cannot write.
    let request: Int
    /// The bytes that are still due; nil when the length is not known.
    var remaining: Int?
    let isChunked: Bool
  }

  /// Writes the head of an answer, has `produce` write its body, and ends it.
  func sendStream(_ response: Response, _ length: Int?, _ produce: (BodyWriter) async throws -> Void) async {
    guard !state.isClosed else {
      finishRequest(response.status, isDropped: true)
      return
    }
    beginStream(response, length)
    var isWhole = true
    if request.method != .head, !response.status.isBodiless {
      let writer = BodyWriter(connection: self, request: request.precedingRequests)
      do { try await produce(writer) } catch { isWhole = false }
      isWhole = isWhole && endStream()
    }
    let isDropped = state.isClosed
    let hasVisibleEnd = stream?.isChunked == true || length != nil
    stream = nil
    streamClosed = nil
    if !isWhole {
      // The client notices that the last chunk or byte is missing; where the end of the connection is the end of the
      // body, only a reset tells it.
      state.end(hasVisibleEnd ? .close : .abort)
    }
    finishRequest(response.status, isDropped: isDropped || !isWhole)
  }

  private func beginStream(_ response: Response, _ length: Int?) {
    // HTTP/1.0 knows no chunks: the end of the connection is the end of the body (RFC 9112, section 6.3).
    let isChunked = length == nil && request.head.minorVersion > 0
    if length == nil, !isChunked { state.end(.close) }
    beginHead(response.status)
    output.append(response.headers.bytes)
    if !response.status.isBodiless {
      if let length {
        appendContentLength(length)
      } else if isChunked {
        output.append("Transfer-Encoding: chunked\r\n")
      }
    }
    endFields()
    stream = StreamState(request: request.precedingRequests, remaining: length, isChunked: isChunked)
    queueFlush()
  }

  /// Ends the body; returns false if it should have been longer, or the connection is closed.
  private func endStream() -> Bool {
    guard !state.isClosed, let stream else { return false }
    if stream.isChunked { output.append("0\r\n\r\n") }
    return stream.remaining == nil || stream.remaining == 0
  }

  /// Whether the writer of `request` can still write.
  func isStreaming(_ request: Int) -> Bool { !state.isClosed && stream?.request == request }

  func writeStreamed(_ bytes: [UInt8], _ request: Int) throws(StreamClosed) {
    guard isStreaming(request), let stream else { throw StreamClosed() }
    if bytes.isEmpty { return }
    if let remaining = stream.remaining {
      guard bytes.count <= remaining else { throw StreamClosed() }
      self.stream?.remaining = remaining - bytes.count
    }
    if stream.isChunked {
      output.append(hexadecimal: bytes.count)
      output.append("\r\n")
    }
    output.append(bytes)
    if stream.isChunked { output.append("\r\n") }
    if output.isOverdrawn {
      abort()
      throw StreamClosed()
    }
    queueFlush()
  }

  func mustStreamWait(_ request: Int) -> Bool {
    isStreaming(request) && output.count > server.limits.outputBytes
  }

  /// Suspends until all output is sent or the connection is closed.
  func waitUntilSent() async {
    await withLoopContinuation { sender = $0 }
  }

  func wakeSender() {
    guard let waiter = sender else { return }
    sender = nil
    waiter.resume()
  }

  // MARK: Sending

  /// Schedules the output to be sent once, at the end of the turn.
  @inline(__always)
  func queueFlush() {
    if state.queue() { loop.atEndOfTurn(self) }
  }

  func flush() {
    state.dequeue()
    guard !state.isClosed else { return }
    if output.isOverdrawn { return abort() }
    while !output.isEmpty {
      // The last bytes leave in one packet with the FIN, which follows at once.
      let hasMore = output.hasMoreThanNext || state.isSendingLast
      let flags = Int32(MSG_NOSIGNAL) | (hasMore ? Int32(MSG_MORE) : 0)
      let length = output.nextCount
      let count = output.withNext { bytes in retrying { Glibc.send(fd, bytes.baseAddress, bytes.count, flags) } }
      if count < 0, errno != EAGAIN {
        close()
        return
      }
      if count > 0 { output.consume(count) }
      if count < length {
        if state.blocked(sent: max(0, count), loop.now) { updateInterest() }
        return
      }
    }
    output.release()
    allWasSent()
  }

  /// Called when all output is sent: resumes whatever waited for that.
  @inline(__always)
  private func allWasSent() {
    if state.unblocked() { updateInterest() }
    wakeSender()
    perform(state.sent(hasInput: !input.isEmpty, loop.now))
  }
}

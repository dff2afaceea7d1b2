import Glibc
import Reactor

/// Reading the body of a request.
extension Connection {
  /// Prepares to read the body of a routed request, or refuses it; the route's handler is called in due course.
  func startBody(_ route: Route) {
    let limit: Int
    switch route.options.body {
    case .none: limit = server.limits.unwantedBodyBytes
    case .buffered(let bytes), .streamed(let bytes): limit = bytes
    }
    if case .length(let length) = request.head.framing, length > limit {
      refuse(.malformed(BodyReader.tooLarge))
      return
    }
    body = BodyReader(request.head.framing, limit: limit, limits: server.limits)
    bodyClock = TransferClock(loop.now)
    mustSendContinue = request.head.expectsContinue && input.isEmpty
    if case .streamed = route.options.body {
      request.streamedBody = RequestBodyStream(self)
      bodyPausedAt = loop.now
      run(route)
    } else {
      if case .length(let length) = request.head.framing { request.body.reserveCapacity(min(length, 1 << 16)) }
      phase = .body
      sendContinue()
    }
  }

  /// Tells a client that waits for it that its body will be read (RFC 9110, section 10.1.1).
  private func sendContinue() {
    guard mustSendContinue else { return }
    mustSendContinue = false
    output.append("HTTP/1.1 100 Continue\r\n\r\n")
    queueFlush()
  }

  /// Takes what has come of a buffered body and calls the handler when it is whole; false when more must come.
  func readBody() -> Bool {
    guard let route = request.route else { return false }
    let isWanted = route.options.body != .none
    let outcome = takeBody { piece in
      if isWanted {
        request.body.append(contentsOf: piece)
        server.bufferedBodyBytes += piece.count
      }
      return true
    }
    switch outcome {
    case .needMore:
      guard server.bufferedBodyBytes <= server.limits.bufferedBodyBytes else {
        refuse(.overloaded)
        return true
      }
      return false
    case .end:
      body = nil
      run(route)
      return true
    case .malformed(let fault):
      refuse(.malformed(fault))
      return true
    case .data: return false
    }
  }

  /// Moves what has come of a streamed body to where its handler takes it, as far as it may lag.
  func readStreamedBody() {
    guard body != nil, let stream = request.streamedBody, wantsStreamedBody else { return }
    let outcome = takeBody { piece in
      stream.append(piece)
      return stream.count < server.limits.streamedBodyBytes
    }
    switch outcome {
    case .needMore, .data: break
    case .end:
      body = nil
      stream.finish(.success(()))
    case .malformed(let fault): stream.finish(.failure(fault))
    }
    if stream.wake() { bodyPausedAt = loop.now }
  }

  /// Whether the handler of a streamed body may be given more.
  var wantsStreamedBody: Bool {
    guard let stream = request.streamedBody, !stream.isFinished else { return false }
    return stream.count < server.limits.streamedBodyBytes
  }

  /// The handler of a streamed body has taken all there was, and waits.
  func bodyIsWanted() {
    guard phase == .handling, body != nil else { return }
    sendContinue()
    if let pausedAt = bodyPausedAt {
      bodyClock.resume(loop.now, pausedAt: pausedAt)
      bodyPausedAt = nil
    }
    readStreamedBody()
    // The client's time is not running while the handler has something to do.
    if let stream = request.streamedBody, stream.count > 0 { bodyPausedAt = loop.now }
    resumeReading()
  }

  /// The rest of the body will not come, or not in time.
  func bodyFailed(_ fault: Fault) {
    if phase == .handling {
      request.streamedBody?.finish(.failure(fault))
      request.streamedBody?.wake()
    } else {
      refuse(.malformed(fault))
      process()
    }
  }

  /// Drops what has come of a body that nobody wants any more; whether that was all of it.
  func skipBody() -> Bool {
    if body == nil { return true }
    if mustSendContinue { return false }
    guard takeBody({ _ in true }) == .end else { return false }
    body = nil
    return true
  }

  /// Hands the pieces of the body that have come to `take`, until there are no more, or it gives false (`.data`).
  private func takeBody(_ take: (UnsafeRawBufferPointer) -> Bool) -> ChunkedDecoder.Event {
    let bytes = input.bytes
    var position = 0
    defer {
      input.consume(position)
      bytesIn += position
      bodyClock.moved(position, loop.now)
    }
    while true {
      guard let event = body?.next(bytes.bytes, &position) else { return .end }
      guard case .data(let range) = event else { return event }
      if !take(UnsafeRawBufferPointer(rebasing: bytes[range])) { return event }
    }
  }
}

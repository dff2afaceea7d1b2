import Glibc
import Reactor

/// Reading the body of a request.
extension Connection {
  /// The largest body, in bytes, that is charged like the blocks of a connection; a larger one is charged to its
  /// sender's share of the memory.
  private static let smallBodyBytes = 16 * 1024

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
    state.bodyDeclared(owesContinue: request.head.expectsContinue && input.isEmpty)
    if case .streamed = route.options.body {
      request.streamedBody = RequestBodyStream(self)
      state.bodyHeld(loop.now)
      run(route)
    } else if let admission = route.admission, !isBodyHere {
      admit(admission)
    } else {
      awaitBody()
    }
  }

  /// Whether the whole body was read along with the head.
  private var isBodyHere: Bool {
    guard case .length(let length) = request.head.framing else { return false }
    return input.count >= length
  }

  /// Starts reading a body that is wanted whole.
  func awaitBody() {
    if case .length(let length) = request.head.framing {
      request.body.reserveCapacity(min(length, Self.smallBodyBytes))
    }
    state.bodyAwaited(loop.now)
    resumeReading()
    sendContinue()
  }

  /// Sends 100 (Continue) if the client waits for it.
  private func sendContinue() {
    guard state.takeContinue() else { return }
    output.append("HTTP/1.1 100 Continue\r\n\r\n")
    // The answer begins behind it: one that there is no memory for can still be replaced.
    outputMark = output.total
    queueFlush()
  }

  /// Takes what has come of a buffered body and calls the handler when it is whole; returns false when more must come.
  func readBody() -> Bool {
    guard let route = request.route else { return false }
    let isWanted = route.options.body != .none
    let outcome = takeBody { piece in
      if isWanted { request.body.append(contentsOf: piece) }
      return true
    }
    switch outcome {
    case .needMore:
      if chargeBody() { return false }
      refuse(.overloaded(.memory))
      return true
    case .end:
      endBody()
      run(route)
      return true
    case .malformed(let fault):
      refuse(.malformed(fault))
      return true
    case .data: return false
    }
  }

  /// Charges the memory of a body that is not whole yet; returns false if there is none for it.
  private func chargeBody() -> Bool {
    let bytes = request.body.capacity
    if let charge = request.bodyCharge, charge.bytes >= bytes { return true }
    guard let charge = MemoryCharge(bytes, of: server.memory, bytes > Self.smallBodyBytes ? request.share : .blocks)
    else {
      request.body = []
      // The refusal needs some itself.
      request.bodyCharge = nil
      return false
    }
    request.bodyCharge = charge
    return true
  }

  /// Charges the memory of a streamed body; fails the stream if there is none for it.
  private func chargeStream(_ stream: RequestBodyStream) {
    guard request.bodyCharge == nil else { return }
    request.bodyCharge = MemoryCharge(2 * server.limits.streamedBodyBytes, of: server.memory, request.share)
    if request.bodyCharge == nil { stream.finish(.failure(Self.noMemory)) }
  }

  private static let noMemory = RequestFault(.serviceUnavailable, "The server has no memory for the body at the moment")

  /// Moves what has come of a streamed body to its stream, until `HTTPLimits.streamedBodyBytes` wait there for the
  /// handler.
  func readStreamedBody() {
    guard let stream = request.streamedBody, wantsStreamedBody else { return }
    let outcome = takeBody { piece in
      stream.append(piece)
      return stream.count < server.limits.streamedBodyBytes
    }
    switch outcome {
    case .needMore, .data: break
    case .end:
      endBody()
      stream.finish(.success(()))
    case .malformed(let fault): stream.finish(.failure(fault))
    }
    if stream.wake() { state.bodyPaused(loop.now) }
  }

  /// Whether more of a streamed body may be read. Nothing is read before its handler has asked once: until then it may
  /// not have found out who the sender is.
  var wantsStreamedBody: Bool {
    guard let stream = request.streamedBody, !stream.isFinished, request.bodyCharge != nil else { return false }
    return stream.count < server.limits.streamedBodyBytes
  }

  /// Called when the handler of a streamed body has taken all there was and waits: charges memory, sends 100 (Continue)
  /// if it is owed, and goes on reading.
  func handlerAwaitsBody() {
    guard state.reading == .stream, let stream = request.streamedBody else { return }
    chargeStream(stream)
    if stream.isFinished { return }
    sendContinue()
    state.bodyAsked(loop.now)
    readStreamedBody()
    // The client's time rests while the handler has something to do.
    if stream.count > 0 { state.bodyPaused(loop.now) }
    resumeReading()
  }

  /// Refuses a request whose body ends early or comes too late; a handler that takes it as a stream gets the fault.
  func bodyFailed(_ failure: ConnectionState.BodyFailure) {
    let fault =
      switch failure {
      case .early: RequestFault.malformed("The body ends too early")
      case .late: RequestFault(.requestTimeout, "The body did not arrive in time")
      }
    if state.reading == .stream {
      request.streamedBody?.fail(fault)
    } else {
      refuse(.malformed(fault))
      process()
    }
  }

  /// Drops what has come of a body that is not wanted any more; returns whether that was all of it.
  func skipBody() -> Bool {
    if body == nil { return true }
    if state.owesContinue { return false }
    guard takeBody({ _ in true }) == .end else { return false }
    endBody()
    return true
  }

  private func endBody() {
    body = nil
    state.bodyEnded()
  }

  /// Passes the pieces of the body that have come to `take` until there are no more, or until it returns false
  /// (`.data`).
  private func takeBody(_ take: (UnsafeRawBufferPointer) -> Bool) -> ChunkedDecoder.Event {
    let bytes = input.bytes
    var position = 0
    defer {
      input.consume(position)
      bytesIn += position
      state.bodyMoved(position, loop.now)
    }
    while true {
      guard let event = body?.next(bytes.bytes, &position) else { return .end }
      guard case .data(let range) = event else { return event }
      if !take(UnsafeRawBufferPointer(rebasing: bytes[range])) { return event }
    }
  }
}

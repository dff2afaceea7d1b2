import Glibc
import Reactor

/// Answering requests.
extension Connection {
  // MARK: Dispatch

  /// Routes the request whose head was parsed, and starts reading its body or calls its handler.
  @inline(__always)
  func dispatch() {
    begin()
    let match = match()
    if case .route(let route) = match { request.matched = route }
    application.begin(request)
    guard case .route(let route) = match else {
      refuseUnmatched(match)
      return
    }
    if hasMalformedPath {
      refuse(Self.malformedPath)
    } else if request.head.framing == .none {
      route._withUnsafeGuaranteedRef { run($0) }
    } else {
      startBody(route.takeUnretainedValue())
    }
  }

  @inline(__always)
  private func begin() {
    state.requestBegan()
    server.activeConnections &+= 1
    request.receivedAt = loop.now
    outputMark = output.total
  }

  private func match() -> RouteTable.Match {
    if request.head.isAsterisk { return .options(allow: server.allowAll) }
    let path = request.bytes(request.head.path)
    if path.isEmpty, request.method.rawValue < Method.connect.rawValue {
      // An absolute URL that ends with its authority asks for `/`.
      let root: StaticString = "/"
      let bytes = UnsafeRawBufferPointer(start: root.utf8Start, count: 1)
      return routes.match(request.method, bytes.bytes, &request.parameters)
    }
    return routes.match(request.method, path.bytes, &request.parameters)
  }

  private var hasMalformedPath: Bool {
    request.head.pathHasEscapes && !PercentEncoding.isWellFormed(request.bytes(request.head.path).bytes)
  }

  private static var malformedPath: Refusal {
    .malformed(.malformed("The path is not valid percent-encoded UTF-8"))
  }

  /// Calls the route's handler.
  @inline(__always)
  func run(_ route: Route) {
    switch route.kind {
    case .sync:
      var writer = ResponseWriter(self)
      route.syncHandler(request, &writer)
      writer.close()
      // By now there is a status: `close` begins an answer that the handler has not.
      finishWritten(writer.status!)
    case .async: spawn(route.asyncHandler)
    case .deferred: route.deferredHandler(request, DeferredAnswer(self))
    }
  }

  /// Runs an asynchronous handler in a task and sends its answer.
  func spawn(_ handler: @escaping (Request) async throws -> Response) {
    loop.spawn { [self] in await answer(handler) }
  }

  /// Runs a route's admission in a task: reads the body if it returns, and answers with the error if it throws.
  func admit(_ admission: @escaping (Request) async throws -> Void) {
    state.bodyHeld(loop.now)
    loop.spawn { [self] in
      do { try await admission(request) } catch { return sendWhole(refusal(of: error)) }
      if state.isClosed { return finishRequest(.clientClosed, isDropped: true) }
      awaitBody()
      process()
    }
  }

  /// Runs an asynchronous handler and sends its answer.
  private func answer(_ handler: (Request) async throws -> Response) async {
    let response: Response
    do {
      response = try await handler(request)
    } catch {
      response = refusal(of: error)
    }
    await deliver(response)
  }

  private func refusal(of error: any Error) -> Response {
    if let fault = error as? RequestFault { return application.refuse(.malformed(fault), request) }
    return application.refuse(.failed(error), request)
  }

  /// Answers with what the application makes of a handler's error.
  func fail(_ error: any Error) { respond(refusal(of: error)) }

  private func deliver(_ response: Response) async {
    if case .stream(let length, let produce) = response.body {
      await sendStream(response, length, produce)
    } else {
      sendWhole(response)
    }
  }

  // MARK: Refusals

  /// Answers a request whose head was not parsed, or not even read; the connection ends.
  func refuseUnrouted(_ refusal: Refusal) {
    begin()
    state.end(.linger)
    application.begin(request)
    respond(application.refuse(refusal, request))
  }

  private func refuseUnmatched(_ match: RouteTable.Match) {
    declareBody()
    switch match {
    // A matched route is run, not refused.
    case .route: break
    case .notFound: refuse(hasMalformedPath ? Self.malformedPath : .notFound)
    case .methodNotAllowed(let allow): refuse(.methodNotAllowed(allow: allow))
    case .options(let allow): respond(application.options(request, allow: allow))
    case .notImplemented: refuse(.methodUnknown)
    }
  }

  /// Answers a request whose head was parsed but that cannot be served.
  func refuse(_ refusal: Refusal) {
    state.bodyEnded()
    declareBody()
    respond(application.refuse(refusal, request))
  }

  /// Notes a body that is not read yet: the answer skips it, or ends the connection.
  private func declareBody() {
    guard body == nil, request.head.framing != .none else { return }
    state.bodyDeclared(owesContinue: request.head.expectsContinue && input.isEmpty)
    body = BodyReader(request.head.framing, limit: server.limits.unwantedBodyBytes, limits: server.limits)
  }

  /// Sends an answer that was made outside a task; a streamed one gets a task.
  func respond(_ response: Response) {
    if case .stream = response.body {
      loop.spawn { [self] in await deliver(response) }
    } else {
      sendWhole(response)
    }
  }

  /// Sends an answer that is already rendered.
  func respond(_ answer: FixedAnswer) { sendWhole(answer.status) { $0.send(answer) } }

  // MARK: The end

  private func sendWhole(_ response: Response) { sendWhole(response.status) { $0.send(response) } }

  /// Sends an answer that is not streamed.
  @inline(__always)
  private func sendWhole(_ status: Status, _ write: (inout ResponseWriter) -> Void) {
    guard !state.isClosed else {
      finishRequest(status, isDropped: true)
      return
    }
    var writer = ResponseWriter(self)
    write(&writer)
    finishWritten(status)
  }

  /// Finishes a request whose answer was written whole, or refuses it if there was no memory for the answer.
  @inline(__always)
  private func finishWritten(_ status: Status) {
    if output.isOverdrawn { return refuseForMemory() }
    finishRequest(status, isDropped: false)
  }

  /// Replaces an answer that there was no memory for by a refusal. Breaks the connection off if there is no memory for
  /// that either, or part of the answer was sent.
  private func refuseForMemory() {
    if !state.isRefusingForMemory, output.rewind(to: outputMark) {
      state.refuseForMemory()
      sendWhole(application.refuse(.overloaded(.memory), request))
    } else {
      abort()
      finishRequest(.serviceUnavailable, isDropped: true)
    }
  }

  /// Nanoseconds since the head of the request was complete.
  ///
  /// The clock is read only for the last of the pipelined requests that are answered in one turn; those before it count
  /// as answered at the previous reading, or at the start of the turn if that is later.
  @inline(__always)
  private func elapsed() -> UInt64 {
    if input.isEmpty { server.lastReading = Clock.monotonic() }
    return max(server.lastReading, loop.now) &- request.receivedAt
  }

  /// Reports the request to the application and prepares for the next one, or for the end.
  @inline(__always)
  func finishRequest(_ status: Status, isDropped: Bool) {
    assert(
      state.reading == .request || state.reading == .stream || state.isClosed, "A request ends that nobody handles.")
    application.finish(
      request,
      Finished(
        status: status, bytesIn: bytesIn, bytesOut: output.total &- outputMark,
        durationNanoseconds: elapsed(), isDropped: isDropped))
    server.activeConnections &-= 1
    if isDropped { server.droppedAnswers &+= 1 }
    if body != nil { body = nil }
    request.reset()
    input.releaseHead()
    guard !state.isClosed else { return }
    queueFlush()
    let action = state.answered(loop.now)
    // `process`, which has called the handler, goes on with the next request by itself.
    if isProcessing, case .process = action { return }
    perform(action)
  }
}

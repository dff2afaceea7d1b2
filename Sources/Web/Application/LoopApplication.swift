import HTTP
import Metrics
import Settings
import Telemetry

/// What one loop serves, and the way of a request through it.
///
/// The order is visible here: `begin` makes the call (request id, client address, trace); `serve` lets it through the
/// filters (content coding, `Accept`, authentication, rate limit) to its handler; `finish` counts, logs and traces it.
package final class LoopApplication: Application {
  package let router = Router()
  let context: LoopContext
  // Copies of what every request needs of the context: each step on the way to it would count a reference.
  private let activeConnections: Gauge
  private let responseTime: Histogram
  private let logger: Logger
  private let corsOrigins: [String]
  private let unmatched: RouteInstruments
  private let clientAddress: ClientAddress
  private let authentication: Authentication
  private let rates: RateFilter
  private let tracing: RequestTracing
  private let answerFields = AnswerFields()
  @exclusivity(unchecked) private var requestIDs = RequestIDSource()

  package init(_ context: LoopContext, endpoints: [Endpoint]) {
    self.context = context
    activeConnections = context.meters.activeConnections
    responseTime = context.meters.responseTime
    logger = context.logger
    corsOrigins = context.configuration.listening.corsOrigins
    unmatched = RouteInstruments(context.process.instruments, shard: context.loop.index, route: "unmatched")
    clientAddress = ClientAddress(trustedProxies: context.process.trustedProxies)
    rates = RateFilter(context.rates)
    authentication = Authentication(context, rates)
    tracing = RequestTracing(context)
    for endpoint in endpoints { add(endpoint) }
  }

  private func add(_ endpoint: Endpoint) {
    let instruments = RouteInstruments(
      context.process.instruments, shard: context.loop.index, route: endpoint.template)
    let refusals = endpoint.allRefusals
    for status in endpoint.statuses(with: refusals) { instruments.expect(endpoint.method, status) }
    for code in refusals where code.status >= 500 { _ = errors(endpoint.template, code) }
    let bound = BoundEndpoint(endpoint, instruments)
    let handler: RouteHandler
    switch endpoint.handler {
    case .sync(let handle):
      handler = .sync { [unowned self] request, writer in
        Self.withCall(of: request) { call in
          if let refusal = Self.notAcceptable(call) {
            writer.send(refuse(.failed(refusal), request))
          } else {
            handle(call, &writer)
          }
        }
      }
    case .async(let handle), .streaming(let handle):
      handler = .async { [unowned self] request in try await serve(Call.of(request), handle) }
    case .cached(let wanted, let personal):
      let cached = CachedHandler(wantedAnswer: wanted, personal: personal)
      handler = deferred(cached.answerAtOnce, task: cached.answerInTask)
    case .row(let wanted):
      let row = RowHandler(wantedAnswer: wanted)
      handler = deferred(row.answerAtOnce, task: row.answerInTask)
    }
    let body = endpoint.bodyPolicy(usualLimit: context.configuration.http.bodyBytes)
    let route = router.add(endpoint.method, endpoint.template, options: RouteOptions(body: body), handler)
    route.attachment = bound
    route.admission = { [unowned self] request in
      let call = Call.of(request)
      try await withTrace(of: call) { try await admit(call) }
    }
  }

  /// Returns a handler that answers at once, or when a store replies, where no filter has to wait; by a task where one
  /// has to.
  private func deferred(
    _ atOnce: @escaping (Call, DeferredAnswer) -> Void, task: @escaping (Call) async throws -> Response
  ) -> RouteHandler {
    // Invariant 1: the application outlives its requests.
    .deferred { [unowned(unsafe) self] request, answer in
      let call = Call.of(request)
      do {
        if try admitAtOnce(call) { return atOnce(call, answer) }
      } catch {
        return answer.fail(error)
      }
      // Invariant 1: the application outlives its requests.
      answer.run { [unowned(unsafe) self] request in try await serve(Call.of(request), task) }
    }
  }

  // MARK: The way of a request

  package func begin(_ request: Request) {
    let endpoint = request.routeAttachment.map(BoundEndpoint.unmanaged)
    let (id, address) = (requestIDs.id(of: request), clientAddress(request))
    // A call that is still referenced after its request must not change.
    if isKnownUniquelyReferenced(&request.context) {
      Self.withCall(of: request) { $0.reuse(id: id, clientAddress: address, endpoint: endpoint) }
    } else {
      request.context = Call(request, context, id: id, clientAddress: address, endpoint: endpoint)
    }
    Self.withCall(of: request) { tracing.begin($0, request) }
    activeConnections.add(1)
  }

  /// Lets a call through the filters where none of them has to wait. Returns false where one has to, and for every
  /// refusal but the rate's, which are left to `admit`.
  private func admitAtOnce(_ call: Call) throws -> Bool {
    guard call.request.headerCount("Content-Encoding") == 0, !isTraced(call), Self.notAcceptable(call) == nil,
      authentication.identifyAtOnce(call), try rates.admitAtOnce(call)
    else { return false }
    call.isAdmitted = true
    return true
  }

  private func isTraced(_ call: Call) -> Bool { call.trace?.isSampled == true && context.spans != nil }

  private func serve(_ call: Call, _ handle: (Call) async throws -> Response) async throws -> Response {
    try await withTrace(of: call) {
      if !call.isAdmitted { try await admit(call) }
      try call.requireNoUnaskedBody()
      return try await handle(call)
    }
  }

  private func withTrace<Result>(of call: Call, _ body: () async throws -> Result) async throws -> Result {
    guard isTraced(call) else { return try await body() }
    return try await CurrentTrace.$context.withValue(call.trace, operation: body)
  }

  /// Lets a call through the filters: before its handler, and before its body where that is still to come.
  private func admit(_ call: Call) async throws {
    if call.request.headerCount("Content-Encoding") > 0 {
      throw Problem(.unsupportedMediaType, "Send the body without a content coding.")
    }
    if let refusal = Self.notAcceptable(call) { throw refusal }
    try await authentication.identify(call)
    try await rates.admit(call)
    call.isAdmitted = true
  }

  /// 406 for a client whose `Accept` excludes all that the endpoint can answer; nil otherwise. Without an `Accept`
  /// anything will do (RFC 9110, section 12.5.1). One that names the type of problems excludes nothing.
  private static func notAcceptable(_ call: Call) -> Problem? {
    guard call.request.headerCount("Accept") > 0, let offered = call.endpoint?.offeredTypes,
      Accept.excludesAll(of: offered, call.request)
    else { return nil }
    return Problem(.notAcceptable, "This is available as \(offered.joined(separator: " or ")).")
  }

  package func refuse(_ refusal: Refusal, _ request: Request) -> Response {
    let call = Call.of(request)
    let problem = Problem(refusal)
    call.problem = problem
    // A person may have asked for a page, and mistyped a path.
    if refusal.isNotFound || call.endpoint?.isPage == true {
      return problem.response(preferredBy: request, requestID: call.requestID)
    }
    return problem.response(instance: request.path, requestID: call.requestID)
  }

  package func options(_ request: Request, allow: String) -> Response {
    var headers: HeaderList = ["Allow": allow]
    CrossOrigin.answerPreflight(request, allow: allow, corsOrigins, &headers)
    return Response(.noContent, headers: headers)
  }

  package func addFields(to fields: FieldWriter, for request: Request) {
    Self.withCall(of: request) { call in
      answerFields.add(call.id, to: fields)
      if !corsOrigins.isEmpty { CrossOrigin.addFields(to: fields, for: request, corsOrigins) }
      if let rate = call.rate { rate.limiter.policy.addFields(to: fields, rate.decision) }
    }
  }

  package func finish(_ request: Request, _ summary: Finished) {
    Self.withCall(of: request) { finish($0, request, summary) }
  }

  private func finish(_ call: Call, _ request: Request, _ summary: Finished) {
    activeConnections.subtract(1)
    let seconds = Double(summary.durationNanoseconds) / 1e9
    let exemplar = tracing.exemplar(call)
    if let endpoint = call.boundEndpoint {
      endpoint._withUnsafeGuaranteedRef {
        $0.instruments.record(request.method, summary.status, seconds: seconds, exemplar: exemplar)
        if !$0.isEventStream { responseTime.observe(seconds) }
      }
    } else {
      unmatched.record(request.method, summary.status, seconds: seconds, exemplar: exemplar)
      responseTime.observe(seconds)
    }
    if summary.status.rawValue >= 500, let problem = call.problem { count(problem, call) }
    tracing.finish(call, summary)
    RequestLog.write(call, summary, to: logger)
  }

  /// Counts an error of ours. A probe that reports ill health has no problem: it works as it should.
  private func count(_ problem: Problem, _ call: Call) {
    errors(call.endpoint?.endpoint.template ?? "unmatched", problem.code).increment()
    guard let limit = problem.limit else { return }
    context.process.instruments.requests.overloads.child(shard: context.loop.index, limit.rawValue).increment()
  }

  private func errors(_ route: String, _ code: Problem.Code) -> Counter {
    context.process.instruments.requests.errors.child(shard: context.loop.index, route, code.rawValue)
  }

  /// Calls `body` with the request's call, without counting a reference to it.
  @inline(__always)
  private static func withCall<Result>(of request: Request, _ body: (Call) -> Result) -> Result {
    request.contextReference._withUnsafeGuaranteedRef { body(unsafeDowncast($0, to: Call.self)) }
  }
}

extension Refusal {
  /// Whether nothing is at the path.
  fileprivate var isNotFound: Bool { if case .notFound = self { true } else { false } }
}

extension Endpoint {
  /// What the server does with a request's body before the handler runs. `usualLimit` is in bytes.
  func bodyPolicy(usualLimit: Int) -> BodyPolicy {
    switch handler {
    case .streaming: .streamed(limit: bodyLimit ?? usualLimit)
    case .async where body != nil || method != .get: .buffered(limit: bodyLimit ?? usualLimit)
    case .sync, .async, .cached, .row: .none
    }
  }
}

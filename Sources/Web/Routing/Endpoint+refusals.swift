import HTTP

extension Endpoint {
  /// Refusals that any endpoint may answer, since the server itself makes them.
  package static let commonRefusals: [Problem.Code] = [
    .malformed, .timeout, .contentTooLarge, .uriTooLong, .unsupportedMediaType, .expectationFailed, .tooManyRequests,
    .headerTooLarge, .internal, .unavailable, .overloaded,
  ]

  /// Every problem that the endpoint may answer: the common ones, those of its kind, and its own; by status.
  package var allRefusals: [Problem.Code] {
    let codes = Set(Self.commonRefusals).union(kindRefusals).union(refusals)
    return Problem.Code.allCases.filter(codes.contains)
  }

  /// The status of every answer that it may give, successes and these refusals.
  func statuses(with refusals: [Problem.Code]) -> Set<Status> {
    let successes = ([success] + reports).map(\.status) + (isConditional ? [Int(Status.notModified.rawValue)] : [])
    return Set((successes + refusals.map(\.status)).map { Status(rawValue: UInt16($0)) })
  }

  /// The refusals that follow from its access, its path and its body.
  var kindRefusals: [Problem.Code] {
    var codes: [Problem.Code] = []
    switch access {
    case .open: break
    // Even where anyone may call, a token may lack the scope, and a device's owner may be disabled.
    case .anyone, .user, .userOrDevice, .device, .administrator: codes += [.unauthorized, .forbidden]
    }
    if !pathParameters.isEmpty { codes.append(.notFound) }
    // An endpoint without a body refuses one that asks for something.
    if body != nil || method != .get { codes.append(.validation) }
    if parameters.contains(where: { $0.name == "cursor" }) { codes.append(.invalidCursor) }
    if parameters.contains(where: { $0.name == "Idempotency-Key" }) { codes += [.idempotencyKeyReused, .inProgress] }
    if isGuarded { codes.append(.preconditionFailed) }
    if method != .get { codes.append(.outcomeUnknown) }
    if !offeredTypes.isEmpty { codes.append(.notAcceptable) }
    return codes
  }

  /// The names between braces in its template.
  package var pathParameters: [String] {
    template.split(separator: "/").compactMap { segment in
      segment.first == "{" ? String(segment.dropFirst().dropLast()) : nil
    }
  }
}

import HTTP

/// The preconditions of RFC 9110, section 13.
extension Endpoint {
  /// Whether a GET of it may be answered from the client's copy.
  package var isConditional: Bool { method == .get && success.headers.contains("ETag") }

  /// The conditional header that it honours, for its description.
  package var conditions: [Parameter] {
    if isConditional {
      return [.header("If-None-Match", .string(), "The `ETag` of your copy: 304 while that copy is current.")]
    }
    guard isGuarded else { return [] }
    return [.header("If-Match", .string(), "The `ETag` of what you read: 412 if it has changed since.")]
  }
}

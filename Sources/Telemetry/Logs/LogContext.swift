import Values

/// The work that a log line belongs to: the members between the fixed ones and the fields. A nil member is left out.
package struct LogContext: Sendable {
  /// The trace and span the line belongs to.
  package var trace: TraceContext?
  package var requestID: String?
  package var userID: Identifier?

  package init(trace: TraceContext? = nil, requestID: String? = nil, userID: Identifier? = nil) {
    self.trace = trace
    self.requestID = requestID
    self.userID = userID
  }
}

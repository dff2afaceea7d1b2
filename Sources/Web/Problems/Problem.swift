import JSON
import Values

/// An answer that says why a request was not served, as `application/problem+json` (RFC 9457).
///
/// Handlers throw it; `Problem.init(_: any Error)` makes one of every other error, so that this is the one place in
/// which errors become status codes (invariant 11 of ARCHITECTURE.md). `detail` is for the client and reveals nothing
/// of the inside; `cause` is for the log.
package struct Problem: Error {
  /// The stable part of the type, after `urn:terroir:problem:`.
  package let code: Code
  /// One or two sentences for the client.
  let detail: String
  /// The faults of a validation, each with a JSON pointer (RFC 6901).
  var faults: [JSON.Fault] = []
  /// Further fields of the answer: `Allow`, `Retry-After`, `WWW-Authenticate`.
  package var headers: [(name: StaticString, value: String)] = []
  /// Further members of the answer, each as JSON text (RFC 9457, section 3.2).
  package var extensions: [(name: StaticString, json: [UInt8])] = []
  /// What happened inside; for the log alone.
  var cause: String?
  /// The bound that was reached.
  var limit: Limit?

  /// `retryAfterSeconds` is when a retry may succeed; without it, one second where the server is unavailable or
  /// overloaded.
  package init(
    _ code: Code, _ detail: String, faults: [JSON.Fault] = [], retryAfterSeconds: Int64? = nil, cause: String? = nil
  ) {
    self.code = code
    self.detail = detail
    self.faults = faults
    self.cause = cause
    switch code {
    case .unauthorized:
      headers.append(("WWW-Authenticate", "Bearer realm=\"terroir\""))
    case .unavailable, .overloaded:
      headers.append(("Retry-After", "\(retryAfterSeconds ?? 1)"))
    default:
      if let retryAfterSeconds { headers.append(("Retry-After", "\(retryAfterSeconds)")) }
    }
  }

  /// The kinds of problem. The raw value is part of the API and never changes its meaning.
  package enum Code: String, CaseIterable {
    case malformed = "malformed-request"
    case invalidCursor = "invalid-cursor"
    case idempotencyKeyMissing = "idempotency-key-missing"
    case unauthorized = "unauthorized"
    case forbidden = "forbidden"
    case registrationClosed = "registration-closed"
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    case notAcceptable = "not-acceptable"
    case timeout = "request-timeout"
    case conflict = "conflict"
    case emailTaken = "email-taken"
    case outOfStock = "out-of-stock"
    case priceChanged = "price-changed"
    case openOrders = "open-orders"
    case impossibleTransition = "impossible-transition"
    case noData = "no-data"
    case inProgress = "request-in-progress"
    case preconditionFailed = "precondition-failed"
    case contentTooLarge = "content-too-large"
    case uriTooLong = "uri-too-long"
    case unsupportedMediaType = "unsupported-media-type"
    case expectationFailed = "expectation-failed"
    case validation = "validation-failed"
    case idempotencyKeyReused = "idempotency-key-reused"
    case providerNotConfigured = "provider-not-configured"
    case noValidReading = "no-valid-reading"
    case tooManyRequests = "too-many-requests"
    case tooManyFailures = "too-many-failed-logins"
    case headerTooLarge = "header-fields-too-large"
    case `internal` = "internal-error"
    case notImplemented = "not-implemented"
    case unavailable = "service-unavailable"
    case outcomeUnknown = "outcome-unknown"
    case overloaded = "overloaded"
    case versionNotSupported = "http-version-not-supported"

    /// The status code (RFC 9110, section 15).
    package var status: Int {
      switch self {
      case .malformed, .invalidCursor, .idempotencyKeyMissing: 400
      case .unauthorized: 401
      case .forbidden, .registrationClosed: 403
      case .notFound: 404
      case .methodNotAllowed: 405
      case .notAcceptable: 406
      case .timeout: 408
      case .conflict, .emailTaken, .outOfStock, .priceChanged, .openOrders, .impossibleTransition, .noData, .inProgress:
        409
      case .preconditionFailed: 412
      case .contentTooLarge: 413
      case .uriTooLong: 414
      case .unsupportedMediaType: 415
      case .expectationFailed: 417
      case .validation, .idempotencyKeyReused, .providerNotConfigured, .noValidReading: 422
      case .tooManyRequests, .tooManyFailures: 429
      case .headerTooLarge: 431
      case .internal: 500
      case .notImplemented: 501
      case .unavailable, .outcomeUnknown, .overloaded: 503
      case .versionNotSupported: 505
      }
    }

    /// The code as a sentence's beginning: `validation-failed` becomes `Validation failed`.
    package var title: String {
      let words = rawValue.split(separator: "-").joined(separator: " ")
      return words.prefix(1).uppercased() + words.dropFirst()
    }
  }
}

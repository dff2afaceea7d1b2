/// A status code of an answer (RFC 9110, section 15).
package struct Status: RawRepresentable, Hashable, Sendable {
  /// The code, 100…599.
  package let rawValue: UInt16

  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let ok = Status(rawValue: 200)
  package static let created = Status(rawValue: 201)
  package static let accepted = Status(rawValue: 202)
  package static let noContent = Status(rawValue: 204)
  package static let notModified = Status(rawValue: 304)
  package static let badRequest = Status(rawValue: 400)
  package static let notFound = Status(rawValue: 404)
  package static let methodNotAllowed = Status(rawValue: 405)
  package static let requestTimeout = Status(rawValue: 408)
  package static let contentTooLarge = Status(rawValue: 413)
  package static let targetTooLong = Status(rawValue: 414)
  package static let expectationFailed = Status(rawValue: 417)
  package static let headTooLarge = Status(rawValue: 431)
  /// The client went away before there was an answer: never sent, only reported.
  package static let clientClosed = Status(rawValue: 499)
  package static let internalServerError = Status(rawValue: 500)
  package static let notImplemented = Status(rawValue: 501)
  package static let serviceUnavailable = Status(rawValue: 503)
  package static let gatewayTimeout = Status(rawValue: 504)
  package static let versionNotSupported = Status(rawValue: 505)

  /// Whether an answer of this status never has a body, nor a Content-Length (RFC 9110, section 6.4.1).
  package var isBodiless: Bool { rawValue < 200 || self == .noContent || self == .notModified }

  /// The reason phrase.
  package var reason: String {
    let line = line
    let text = line.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
    return String(text.dropFirst(13).dropLast(1))
  }

  /// The whole status line, with its end.
  var line: StaticString {
    switch rawValue {
    case 200: "HTTP/1.1 200 OK\r\n"
    case 201: "HTTP/1.1 201 Created\r\n"
    case 202: "HTTP/1.1 202 Accepted\r\n"
    case 204: "HTTP/1.1 204 No Content\r\n"
    case 304: "HTTP/1.1 304 Not Modified\r\n"
    case 400: "HTTP/1.1 400 Bad Request\r\n"
    case 401: "HTTP/1.1 401 Unauthorized\r\n"
    case 403: "HTTP/1.1 403 Forbidden\r\n"
    case 404: "HTTP/1.1 404 Not Found\r\n"
    case 405: "HTTP/1.1 405 Method Not Allowed\r\n"
    case 406: "HTTP/1.1 406 Not Acceptable\r\n"
    case 408: "HTTP/1.1 408 Request Timeout\r\n"
    case 409: "HTTP/1.1 409 Conflict\r\n"
    case 412: "HTTP/1.1 412 Precondition Failed\r\n"
    case 413: "HTTP/1.1 413 Content Too Large\r\n"
    case 414: "HTTP/1.1 414 URI Too Long\r\n"
    case 415: "HTTP/1.1 415 Unsupported Media Type\r\n"
    case 417: "HTTP/1.1 417 Expectation Failed\r\n"
    case 422: "HTTP/1.1 422 Unprocessable Content\r\n"
    case 429: "HTTP/1.1 429 Too Many Requests\r\n"
    case 431: "HTTP/1.1 431 Request Header Fields Too Large\r\n"
    case 499: "HTTP/1.1 499 Client Closed Request\r\n"
    case 501: "HTTP/1.1 501 Not Implemented\r\n"
    case 503: "HTTP/1.1 503 Service Unavailable\r\n"
    case 504: "HTTP/1.1 504 Gateway Timeout\r\n"
    case 505: "HTTP/1.1 505 HTTP Version Not Supported\r\n"
    // A code that is not listed would be our own mistake.
    default: "HTTP/1.1 500 Internal Server Error\r\n"
    }
  }
}

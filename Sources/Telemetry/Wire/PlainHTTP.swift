import Values

/// HTTP/1.1 over plain TCP for threads that may block: one request, one answer, one connection.
///
/// For the exporter and the health check; never on a loop.
package enum PlainHTTP {
  /// The longest answer that is read unless more is asked for, in bytes.
  package static let maximumAnswerBytes = 1 << 20

  /// A request with its whole body.
  package struct Request: Sendable {
    package var method: String
    package var url: ServiceURL
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
      method: String = "GET", url: ServiceURL, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
      self.method = method
      self.url = url
      self.headers = headers
      self.body = body
    }

    /// The head as it is sent, with the fields that every request has.
    var head: [UInt8] {
      var text = "\(method) \(url.target) HTTP/1.1\r\nHost: \(url.authority)\r\nConnection: close\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      if method != "GET" { text += "Content-Length: \(body.count)\r\n" }
      return Array((text + "\r\n").utf8)
    }
  }

  /// An answer with its whole body.
  package struct Answer: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
      self.status = status
      self.headers = headers
      self.body = body
    }

    /// The first value of a field, whose name is compared without regard to case.
    package func header(_ name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
  }

  /// Why there is no answer.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    case unresolved(String)
    case unreachable(String)
    case timeout
    case malformed(String)

    package var description: String {
      switch self {
      case .unresolved(let reason): "host name not resolved: \(reason)"
      case .unreachable(let reason): "connection failed: \(reason)"
      case .timeout: "timed out"
      case .malformed(let reason): "malformed answer: \(reason)"
      }
    }
  }

  /// Sends a request and waits for the whole answer, both together for at most `timeoutMilliseconds`.
  ///
  /// Resolving the host's name takes as long as the system's resolver allows.
  package static func send(
    _ request: Request, timeoutMilliseconds: Int, maximumBytes: Int = maximumAnswerBytes
  ) throws(Failure) -> Answer {
    let socket = try PlainSocket(
      host: request.url.host, port: request.url.port ?? 80, timeoutMilliseconds: timeoutMilliseconds)
    try socket.send(request.head + request.body)
    var parser = AnswerParser(maximumBytes: maximumBytes)
    while true {
      let chunk = try socket.receive()
      if let answer = try parser.take(chunk) { return answer }
      if chunk.isEmpty { throw .malformed("cut off") }
    }
  }
}

/// A request to another server.
package struct OutboundRequest: Sendable {
  package var method = "GET"
  package let url: String
  package var headers: [(name: String, value: String)] = []
  package var body: [UInt8] = []
  /// From sending to the answer's last byte.
  package var timeoutSeconds: Double = 10

  package init(
    method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    timeoutSeconds: Double = 10
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeoutSeconds = timeoutSeconds
  }
}

/// The answer of another server.
package struct OutboundResponse: Sendable {
  package var status = 0
  /// By names in lower case; of a repeated field the last value.
  package var headers: [String: String] = [:]
  package var body: [UInt8] = []
}

/// Why another server gave no usable answer. For the log, and for the user who named the server.
package struct OutboundError: Error, CustomStringConvertible {
  package let description: String
  /// How a mail server has refused the recipient, or the message. Nil for anything else, which lies between it and this
  /// server.
  package var refusal: MailRefusal?
}

/// Why a command has no usable answer.
package enum RedisError: Error, Equatable, Sendable {
  /// There is no connection, or it was lost before the answer came; a command in flight may have run.
  case unavailable(String)
  /// Redis did not answer within the deadline; the command may have run, or may still run.
  case timeout
  /// More commands or bytes are in flight than the configuration allows; nothing was sent.
  case overloaded
  /// Redis answered with an error, such as `WRONGTYPE Operation against a key holding the wrong kind of value`.
  case server(String)
  /// Redis sent a reply that this command never has.
  case unexpectedReply

  /// Whether Redis refused because it does not know the script (`NOSCRIPT`).
  var isMissingScript: Bool {
    if case .server(let message) = self { return message.hasPrefix("NOSCRIPT") }
    return false
  }

  /// Whether Redis takes no writes at all for now: it is a replica, full, cannot save, or has too few replicas.
  var refusesWrites: Bool {
    guard case .server(let message) = self else { return false }
    return ["READONLY ", "OOM ", "MISCONF ", "NOREPLICAS "].contains { message.hasPrefix($0) }
  }
}

import Reactor

/// How long a key lives.
package enum RedisExpiry: Sendable {
  case seconds(Int64)
  case milliseconds(Int64)
}

/// The commands that are used often; `send` covers the rest. Each throws as `send` does, and `.unexpectedReply` for a
/// reply that its command never has.
extension RedisClient {
  /// Returns the value of a key, or nil if there is none.
  package func get(_ key: String) async throws(RedisError) -> [UInt8]? {
    switch try await send("GET", .text(key)) {
    case .null: nil
    case .string(let bytes): bytes
    default: throw .unexpectedReply
    }
  }

  /// Sets a key, for ever or until `expiry`; returns whether it was set, which only `onlyIfAbsent` may prevent.
  @discardableResult
  package func set(
    _ key: String, _ value: [UInt8], expiry: RedisExpiry? = nil, onlyIfAbsent: Bool = false
  ) async throws(RedisError) -> Bool {
    var command: [RedisArgument] = ["SET", .text(key), .bytes(value)]
    switch expiry {
    case .seconds(let seconds): command += ["EX", .integer(seconds)]
    case .milliseconds(let milliseconds): command += ["PX", .integer(milliseconds)]
    case nil: break
    }
    if onlyIfAbsent { command.append("NX") }
    return try await send(command) != .null
  }

  /// Deletes keys and returns how many of them existed.
  @discardableResult
  package func delete(_ keys: String...) async throws(RedisError) -> Int64 {
    try await integer(["DEL"] + keys.map(RedisArgument.text))
  }

  /// Returns the values of the keys that `append` appends, at least one, in their order; null for each that is missing.
  package func values(_ append: (inout ArgumentBuffer) -> Void) async throws(RedisError) -> [RedisReply] {
    let result = await withLoopContinuation { send("MGET", .single($0), append) }
    guard case .array(let values) = try result.get() else { throw .unexpectedReply }
    return values
  }

  /// Reads the values of the keys that `append` appends, at least one, and calls `receive` with them, in their order,
  /// within the turn in which they come, or at once if the command cannot be sent.
  package func values(
    _ append: (inout ArgumentBuffer) -> Void, _ receive: @escaping (Result<RedisValues, RedisError>) -> Void
  ) { send("MGET", .values(receive), append) }

  /// Runs a script by its digest, and with its text when Redis does not know it (NOSCRIPT).
  package func evaluate(
    _ script: RedisScript, keys: [String] = [], _ arguments: [RedisArgument] = []
  ) async throws(RedisError) -> RedisReply {
    let rest = [.integer(Int64(keys.count))] + keys.map(RedisArgument.text) + arguments
    do throws(RedisError) {
      return try await send(["EVALSHA", .text(script.digest)] + rest)
    } catch  where error.isMissingScript {
      // EVAL also stores it, so that the digest is known from now on.
      return try await send(["EVAL", .text(script.text)] + rest)
    }
  }

  /// Sends a message to the subscribers of a channel and returns how many there were.
  @discardableResult
  package func publish(_ channel: String, _ message: [UInt8]) async throws(RedisError) -> Int64 {
    try await integer(["PUBLISH", .text(channel), .bytes(message)])
  }

  private func integer(_ command: [RedisArgument]) async throws(RedisError) -> Int64 {
    guard case .integer(let number) = try await send(command) else { throw .unexpectedReply }
    return number
  }
}

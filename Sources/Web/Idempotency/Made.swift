import HTTP
import Postgres

/// What a request has made, as the answer shows it.
package struct Made {
  package let status: Status
  /// Its `Location`; nil for what has no URL of its own.
  package let location: String?
  package let body: [UInt8]
  /// Whether it shows a secret: no cache may keep a copy, and the server keeps only a sealed one.
  package let isSecret: Bool

  package init(status: Status = Status.created, location: String? = nil, body: [UInt8], isSecret: Bool = false) {
    self.status = status
    self.location = location
    self.body = body
    self.isSecret = isSecret
  }
}

extension Call {
  /// Makes what the user asks for in one transaction, and returns the answer. With an `Idempotency-Key`, a retry gets
  /// the same answer for 24 hours, and nothing is made again.
  ///
  /// `make` adds the tags of what it invalidates in the cache. `isRepeated` says that it was made before. Throws 409
  /// while the same key is being served, and 422 when it came with another request.
  package func makeOnce(
    _ make: (Transaction, inout [CacheTag]) async throws -> Made
  ) async throws -> (response: Response, isRepeated: Bool) {
    try await makeOnce(try idempotencyKey(), make)
  }

  /// Makes what the user asks for, with a key that was read before.
  package func makeOnce(
    _ key: IdempotencyKey?, _ make: (Transaction, inout [CacheTag]) async throws -> Made
  ) async throws -> (response: Response, isRepeated: Bool) {
    let now = now
    return try await context.cache.change { transaction, tags in
      if let key {
        try await key.claim(in: transaction)
        if let made = try await key.made(in: transaction, at: now) { return (response(made), true) }
      }
      let made = try await make(transaction, &tags)
      try await key?.keep(made, in: transaction, at: now)
      return (response(made), false)
    }
  }

  /// The key of this request, for its target and body; nil without one. Where the endpoint takes no body, `{}` counts
  /// as none: what was made for either is found by both. The key is stored with the hash of the body as it came, by
  /// which the previous release finds it.
  package func idempotencyKey() throws -> IdempotencyKey? {
    let target = Array("\(request.target)\n".utf8)
    let alike = endpoint?.endpoint.body == nil ? [target, target + "{}".utf8] : []
    return try IdempotencyKey(
      request, user: try user.id, content: target + request.body, alike: alike, seal: context.answerSeal)
  }

  /// The answer that shows what was made.
  package func response(_ made: Made) -> Response {
    if made.isSecret { return secret(made.status, location: made.location, made.body) }
    guard let location = made.location else { return ok(made.body) }
    var response = created(location, made.body)
    response.status = made.status
    return response
  }
}

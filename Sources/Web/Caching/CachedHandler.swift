import HTTP

/// Answers from the cache: without a task where nothing but the cache has to be waited for.
struct CachedHandler {
  let wanted: (Call) throws -> CachedAnswer
  /// What answers those who are signed in, if anything else than the cache does.
  let personal: ((Call) async throws -> Response)?

  /// Answers from the loop's memory, or looks the wanted answer up and leaves it to a task if it is not there.
  func answer(_ call: Call, _ answer: DeferredAnswer) {
    let cache = call.context.cache
    if let remembered = cache.remembered(call.request) { return remembered.give(to: call, answer) }
    let wanted: CachedAnswer
    do { wanted = try self.wanted(call) } catch { return answer.fail(error) }
    let ticket = cache.ticket(for: wanted.key)
    cache.find(wanted.key) { finding in
      if case .entry(let entry) = finding {
        // Invariant 1.
        unowned(unsafe) let request = answer.request
        cache.remember(entry, of: wanted, ticket, request)
        answer.send(Call.of(request).kept(entry, isList: wanted.isList))
      } else {
        answer.run { request in
          let entry = try await cache.entry(wanted.key, finding, wanted.load)
          cache.remember(entry, of: wanted, ticket, request)
          return Call.of(request).kept(entry, isList: wanted.isList)
        }
      }
    }
  }

  /// The same within a task, for a call that has passed the filters.
  func answer(_ call: Call) async throws -> Response {
    if let personal, call.userID != nil { return try await personal(call) }
    let wanted = try wanted(call)
    let entry = try await call.context.cache.entry(wanted.key, wanted.load)
    return call.kept(entry, isList: wanted.isList)
  }
}

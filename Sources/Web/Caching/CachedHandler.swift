import HTTP

/// Answers from the cache: without a task where nothing but the cache has to be waited for.
struct CachedHandler {
  let wanted: (Call) throws -> CachedAnswer
  /// What answers those who are signed in, if anything else than the cache does.
  let personal: ((Call) async throws -> Response)?

  /// Looks the wanted answer up, and leaves it to a task if it is not there.
  func answer(_ call: Call, _ answer: DeferredAnswer) {
    let wanted: CachedAnswer
    do { wanted = try self.wanted(call) } catch { return answer.fail(error) }
    call.context.cache.find(wanted.key) { finding in
      if case .entry(let entry) = finding {
        answer.send(Call.of(answer.request).kept(entry, isList: wanted.isList))
      } else {
        answer.run { request in
          let call = Call.of(request)
          let entry = try await call.context.cache.entry(wanted.key, finding, wanted.load)
          return call.kept(entry, isList: wanted.isList)
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

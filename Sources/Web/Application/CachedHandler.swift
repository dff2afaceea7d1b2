import HTTP

/// Answers from the cache, without a task where only the cache or one statement has to be waited for.
struct CachedHandler {
  let wantedAnswer: (Call) throws -> CachedAnswer
  /// Answers signed-in users; nil where the cache answers everyone.
  let personal: Endpoint.Personal?

  /// Answers from the loop's memory or from Redis. An entry that neither has is loaded by a task, or by one statement
  /// while the cache is bypassed.
  func answerAtOnce(_ call: Call, _ deferred: DeferredAnswer) {
    if let personal, call.userID != nil { return answerPersonally(personal, call, deferred) }
    let cache = call.context.cache
    if let remembered = cache.remembered(call.request) { return remembered.give(to: call, deferred) }
    let wanted: CachedAnswer
    do { wanted = try wantedAnswer(call) } catch { return deferred.fail(error) }
    let ticket = isForEveryone(wanted, call) ? cache.ticket(for: wanted.key) : nil
    cache.find(wanted.key) { finding in
      switch (finding, wanted.row) {
      case (.entry(let entry), _):
        deferred.give { request in
          cache.remember(entry, of: wanted, ticket, request)
          return Call.of(request).kept(entry, isList: wanted.isList)
        }
      case (.bypassed, let row?):
        row.read().rows { rows in
          deferred.give { request in
            Call.of(request).kept(TaggedBody(try row.body(try rows.get())), isList: wanted.isList)
          }
        }
      default:
        deferred.run { request in
          let entry = try await cache.entry(wanted.key, finding, wanted.load)
          cache.remember(entry, of: wanted, ticket, request)
          return Call.of(request).kept(entry, isList: wanted.isList)
        }
      }
    }
  }

  /// Whether everyone who asks for the target gets this answer: so it is if an anonymous caller's answer has the same
  /// key. An answer for one user alone is left to Redis, where its key tells users apart.
  private func isForEveryone(_ wanted: CachedAnswer, _ call: Call) -> Bool {
    let identity = call.identity
    if identity.isAnonymous { return true }
    call.identity = .anonymous
    defer { call.identity = identity }
    guard let common = try? wantedAnswer(call) else { return false }
    return common.key.text == wanted.key.text
  }

  private func answerPersonally(_ personal: Endpoint.Personal, _ call: Call, _ deferred: DeferredAnswer) {
    switch personal {
    case .task(let handle): deferred.run { try await handle(Call.of($0)) }
    case .row(let wanted): RowHandler(wantedAnswer: wanted).answerAtOnce(call, deferred)
    }
  }

  /// Answers within a task, for a call that has passed the filters.
  func answerInTask(_ call: Call) async throws -> Response {
    if call.userID != nil {
      switch personal {
      case .task(let handle): return try await handle(call)
      case .row(let wanted): return try await RowHandler(wantedAnswer: wanted).answerInTask(call)
      case nil: break
      }
    }
    let wanted = try wantedAnswer(call)
    let entry = try await call.context.cache.entry(wanted.key, wanted.load)
    return call.kept(entry, isList: wanted.isList)
  }
}

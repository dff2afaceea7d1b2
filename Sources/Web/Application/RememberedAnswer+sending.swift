import HTTP

extension RememberedAnswer {
  /// Answers a request for the target.
  func give(to call: Call, _ answer: DeferredAnswer) {
    guard case .anonymous = call.identity, call.request.headerCount("If-None-Match") == 0 else {
      return answer.send(call.kept(entry, isList: isList))
    }
    if let common { return answer.send(common) }
    let common = FixedAnswer(.ok, headers: call.kept(entry, isList: isList).headers, body: entry.body)
    self.common = common
    answer.send(common)
  }
}

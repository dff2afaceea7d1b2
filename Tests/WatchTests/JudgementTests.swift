import Testing

@testable import Watch

@Suite("The verdict of a watch")
struct JudgementTests {
  private var demands: Demands {
    var demands = Demands()
    (demands.seconds, demands.minimumRequests) = (60, 50)
    return demands
  }

  /// A server's counters after `requests` requests, of which `failed` failed and `slow` were slow.
  private func tally(_ requests: Int, failed: Int = 0, slow: Int = 0, start: Double? = 100) throws -> Tally {
    try Tally(
      exposition: exposition(
        start: start, requests: [("/api/a", 200, requests - failed), ("/api/a", 500, failed)],
        buckets: [
          ("/api/a", "0.01", requests - slow), ("/api/a", "1", requests), ("/api/a", "+Inf", requests),
        ]))
  }

  /// The verdict after a minute of 1,200 probes and `clients` requests of clients; `failed` and `failedProbes` of them
  /// failed.
  private func verdict(clients: Int, failed: Int, failedProbes: Int = 0) throws -> Verdict? {
    var judgement = Judgement(demands)
    var verdict: Verdict?
    for look in 0...12 {
      func part(of count: Int, at look: Int) -> Int { count * look / 12 }
      // The probes before the first look are in its metrics.
      let requests = 100 + part(of: 1_200 + clients, at: look)
      let failures = part(of: failed, at: look) + part(of: failedProbes, at: look)
      let since = part(of: failedProbes, at: look) - part(of: failedProbes, at: max(0, look - 1))
      verdict = judgement.take(
        Observation(
          seconds: Double(look) * 5, tally: try tally(requests, failed: failures),
          probes: Traffic(requests: 100, failures: Double(since))))
    }
    return verdict
  }

  /// The verdict of `looks` that are five seconds apart; nil if there is none yet.
  private func verdict(_ looks: [Tally?], baseline: [Tally?] = [], ready: [Bool] = [], unanswered: Int = 0) -> Verdict?
  {
    var judgement = Judgement(demands)
    for (index, tally) in looks.enumerated() {
      let look = Observation(
        seconds: Double(index) * 5, isReady: index < ready.count ? ready[index] : true, tally: tally,
        baseline: index < baseline.count ? baseline[index] : nil, unanswered: index > 0 ? unanswered : 0)
      if let verdict = judgement.take(look) { return verdict }
    }
    return nil
  }

  private func steady(_ perLook: Int, looks: Int = 13, failed: Int = 0, slow: Int = 0) throws -> [Tally?] {
    try (0..<looks).map { try tally(1_000 + $0 * perLook, failed: $0 * failed, slow: $0 * slow) }
  }

  @Test("is fine when the time is up and all demands were met")
  func fine() throws {
    #expect(verdict(try steady(100, looks: 12)) == nil)
    #expect(verdict(try steady(100)) == .fine("1200 requests in 1m (1200 by clients), 0.00 % failed, P95 10 ms"))
  }

  @Test("ignores what was counted before the watch began")
  func notAbsolute() throws {
    let looks = try (0..<13).map { try tally(10_000 + $0 * 100, failed: 5_000, slow: 9_000) }
    #expect(verdict(looks)?.word == "fine")
  }

  @Test("is unclear with too few requests, or none", arguments: [0, 4])
  func tooFew(perLook: Int) throws {
    #expect(verdict(try steady(perLook)) == .unclear("only \(perLook * 12) requests in 1m, 50 are needed"))
  }

  @Test("is worse after two windows of errors, at the third look")
  func errors() throws {
    let looks = try steady(100, failed: 5)
    #expect(verdict(Array(looks.prefix(2))) == nil)
    #expect(verdict(Array(looks.prefix(3))) == .worse("5.00 % of the requests failed, 1.00 % may"))
  }

  @Test("is not worse after one window of errors, but the whole is judged at the end")
  func oneWindow() throws {
    func looks(failing: Int) throws -> [Tally?] {
      try (0..<13).map { try tally(1_000 + $0 * 100, failed: $0 > 3 ? failing : 0) }
    }
    #expect(verdict(try looks(failing: 10))?.word == "fine")
    #expect(verdict(try looks(failing: 40)) == .worse("3.33 % of the requests failed, 1.00 % may"))
  }

  @Test("is worse for a slow server")
  func slow() throws {
    #expect(verdict(try steady(100, slow: 50)) == .worse("P95 was 901 ms, 200 ms is allowed"))
  }

  @Test("waits for more requests before it judges a small window")
  func smallWindows() throws {
    // By themselves, two looks with one failure among two requests each would have half of them failed.
    let looks = try [(0, 0), (2, 1), (4, 2), (104, 2), (204, 2)].map { try tally($0.0, failed: $0.1) }
    #expect(verdict(looks) == nil)
  }

  @Test("is worse when the server is not ready twice in a row, but not when it is once")
  func readiness() throws {
    let looks = try steady(100)
    #expect(verdict(looks, ready: [true, false, true, false, true])?.word == "fine")
    #expect(verdict(looks, ready: [true, false, false]) == .worse("the server was not ready twice in a row"))
    #expect(
      verdict(looks, ready: Array(repeating: true, count: 12) + [false])
        == .unclear("the server was not ready at the end"))
  }

  @Test("is worse at once after a restart, but not when counters fall without a start time")
  func restarts() throws {
    #expect(verdict([try tally(1_000), try tally(5, start: 160)]) == .worse("the server restarted"))
    let reset = try [1_000, 50, 150, 250].map { try tally($0, start: nil) }
    #expect(verdict(reset) == nil)
  }

  @Test("counts requests without an answer as failures that the server knows nothing of")
  func unanswered() throws {
    #expect(
      verdict(try steady(20), unanswered: 5) == .worse("20.00 % of the requests failed, 1.00 % may"))
  }

  @Test("is worse when a few clients' requests fail, however many of the watch's own succeed")
  func fewClients() throws {
    #expect(
      try verdict(clients: 5, failed: 5) == .worse("100.00 % of the 5 requests of clients failed, 1.00 % may"))
    #expect(
      try verdict(clients: 100, failed: 2) == .worse("2.00 % of the 100 requests of clients failed, 1.00 % may"))
    #expect(
      try verdict(clients: 5, failed: 0) == .fine("1205 requests in 1m (5 by clients), 0.00 % failed, P95 10 ms"))
  }

  @Test("is not worse for a single failure, however few requests clients made", arguments: [1, 5, 99])
  func strayFailure(clients: Int) throws {
    #expect(try verdict(clients: clients, failed: 1)?.word == "fine")
  }

  @Test("does not count the watch's own failures among the clients'")
  func failedProbes() throws {
    #expect(try verdict(clients: 5, failed: 0, failedProbes: 6)?.word == "fine")
    #expect(try verdict(clients: 5, failed: 1, failedProbes: 6)?.word == "fine")
    #expect(try verdict(clients: 5, failed: 2, failedProbes: 6)?.word == "worse")
  }

  @Test("is unclear when metrics cannot be read three times in a row, or at the end")
  func blind() throws {
    let some = try tally(1_000)
    #expect(verdict([some, nil, nil, some, nil, nil]) == nil)
    #expect(verdict([some, nil, nil, nil]) == .unclear("its metrics could not be read three times in a row"))
    #expect(verdict([nil, nil, nil])?.word == "unclear")
    #expect(
      verdict(try steady(100, looks: 12) + [nil]) == .unclear("its metrics could not be read at the end"))
  }

  @Test("is worse for more than twice the other server's failures, even within the limit")
  func comparison() throws {
    // 0.8 % failed, where 1 % may, but only 0.3 % of the other server's.
    let looks = try steady(1_000, failed: 8)
    let quiet = try tally(10_000, failed: 30)
    #expect(
      verdict(looks, baseline: Array(repeating: quiet, count: 13))
        == .worse("0.80 % of the requests failed, 0.30 % did before"))
    // It is fine compared with 0.5 %, and with too little or nothing to compare with.
    let alike = try tally(10_000, failed: 50)
    #expect(verdict(looks, baseline: Array(repeating: alike, count: 13))?.word == "fine")
    #expect(verdict(looks, baseline: Array(repeating: try tally(3), count: 13))?.word == "fine")
    #expect(verdict(looks)?.word == "fine")
  }

  @Test("compares the other server over the same time while that has traffic")
  func simultaneous() throws {
    // The other server has had few errors in all its life, but during the watch as many as the new one.
    let other = try (0..<13).map { try tally(100_000 + $0 * 1_000, failed: $0 * 8) }
    #expect(verdict(try steady(1_000, failed: 8), baseline: other)?.word == "fine")
  }

  @Test("is fine for few failures, even if the other server has none")
  func harmless() throws {
    let quiet = try tally(10_000)
    #expect(verdict(try steady(1_000, failed: 4), baseline: Array(repeating: quiet, count: 13))?.word == "fine")
  }

  @Test("reports its progress: the time so far and what it has seen")
  func progress() throws {
    var judgement = Judgement(demands)
    let before = try tally(10_000)
    _ = judgement.take(Observation(seconds: 0, tally: try tally(1_000), baseline: before))
    _ = judgement.take(Observation(seconds: 5, tally: try tally(1_100), baseline: before))
    #expect(judgement.progress(at: 5) == "5s of 1m · 100 requests · 0.00 % failed, P95 10 ms (before 10 ms) · ready")
  }
}

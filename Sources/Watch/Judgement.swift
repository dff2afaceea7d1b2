/// Reaches a verdict by one look at a server after the other. Pure: time and figures come from outside.
///
/// A fault has to show twice in a row, in two looks or two windows of traffic, so that a single late answer condemns no
/// server. A restart is a fault at once: a server that crashes is not serving well.
package struct Judgement {
  /// How many times in a row a fault must be seen to count.
  static let strikes = 2
  /// How many times in a row metrics must be unreadable to end the watch.
  static let blindLooks = 3

  let demands: Demands
  private var first: Observation?
  /// The beginning of the window that is open.
  private var opened: Observation?
  private var unanswered = 0
  private var unansweredInWindow = 0
  private var notReady = 0
  private var blind = 0
  private var badWindows = 0
  /// All traffic since the first look.
  package private(set) var traffic = Traffic()
  /// The watch's own requests in it.
  private var probes = Traffic()
  /// The requests in it that are not the watch's own.
  package private(set) var clients = Traffic()
  /// What it is compared with; nil without such a server.
  package private(set) var baseline: Traffic?

  package init(_ demands: Demands) { self.demands = demands }

  /// Takes in the next look; returns a verdict once there is one, at the latest when the time is up.
  package mutating func take(_ look: Observation) -> Verdict? {
    unanswered += look.unanswered
    unansweredInWindow += look.unanswered
    // What was sent before the first tally is in it.
    if first != nil { probes.add(look.probes) }
    notReady = look.isReady ? 0 : notReady + 1
    blind = look.tally == nil ? blind + 1 : 0
    if notReady >= Self.strikes { return .worse("the server was not ready twice in a row") }
    if blind >= Self.blindLooks { return .unclear("its metrics could not be read three times in a row") }
    if let verdict = look.tally.flatMap({ compare($0, look) }) { return verdict }
    return look.seconds >= demands.seconds ? conclude() : nil
  }

  private mutating func compare(_ tally: Tally, _ look: Observation) -> Verdict? {
    guard let start = first?.tally, let windowStart = opened?.tally else {
      (first, opened) = (look, look)
      return nil
    }
    if let before = start.startTime, let now = tally.startTime, before != now { return .worse("the server restarted") }
    traffic = tally.since(start)
    clients = traffic.without(probes)
    traffic.addUnanswered(unanswered)
    baseline = look.baseline.flatMap { Self.baseline($0, since: first?.baseline) } ?? baseline
    var window = tally.since(windowStart)
    window.addUnanswered(unansweredInWindow)
    guard window.requests >= Demands.windowRequests else { return nil }
    let before = look.baseline.flatMap { Self.baseline($0, since: opened?.baseline) } ?? baseline
    (opened, unansweredInWindow) = (look, 0)
    guard let fault = demands.fault(of: window, beside: before) else {
      badWindows = 0
      return nil
    }
    badWindows += 1
    return badWindows >= Self.strikes ? .worse(fault) : nil
  }

  /// The other server's traffic at the same time; all it ever had, if that is too little to compare with.
  private static func baseline(_ tally: Tally, since earlier: Tally?) -> Traffic? {
    [earlier.map(tally.since), tally.all].compactMap { $0 }.first { $0.requests >= Demands.windowRequests }
  }

  private func conclude() -> Verdict {
    let requests = Int(traffic.requests)
    if requests < demands.minimumRequests {
      return .unclear(
        "only \(requests) requests in \(Wording.duration(demands.seconds)), \(demands.minimumRequests) are needed")
    }
    if blind > 0 { return .unclear("its metrics could not be read at the end") }
    if notReady > 0 { return .unclear("the server was not ready at the end") }
    if let fault = demands.fault(of: traffic, beside: baseline) ?? faultOfClients { return .worse(fault) }
    return .fine(
      "\(requests) requests in \(Wording.duration(demands.seconds)) (\(Int(clients.requests)) by clients), \(figures)")
  }

  /// What is wrong with the clients' requests. Where these are few, the watch's own would hide that most of them fail.
  /// Their latencies need no such look: they show in the P95 of all once there are enough of them to tell anything.
  private var faultOfClients: String? {
    guard clients.failures >= Double(Self.strikes) else { return nil }
    return demands.fault(of: clients, beside: baseline, subject: "the \(Int(clients.requests)) requests of clients")
  }

  private var figures: String {
    let p95 = traffic.p95.map { ", P95 \(Wording.milliseconds($0))" } ?? ""
    return "\(Wording.percent(traffic.errorRatio)) failed\(p95)"
  }

  /// How far the watch has come, for a terminal.
  package func progress(at seconds: Double) -> String {
    let before = baseline?.p95.map { " (before \(Wording.milliseconds($0)))" } ?? ""
    let state = notReady > 0 ? "not ready" : blind > 0 ? "no metrics" : "ready"
    return "\(Wording.duration(seconds)) of \(Wording.duration(demands.seconds)) · \(Int(traffic.requests)) requests · "
      + "\(figures)\(before) · \(state)"
  }
}

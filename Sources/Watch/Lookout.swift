import Glibc
import Reactor
import Telemetry
import Values

/// Looks at a server again and again until there is a verdict, on a thread that may block.
///
/// It sends requests of its own too: a server without requests proves nothing.
package struct Lookout {
  /// How long an answer may take, in milliseconds.
  static let timeoutMilliseconds = 2_000
  /// How long metrics may take to come, in milliseconds.
  static let metricsMilliseconds = 5_000
  /// The longest metrics that are read, in bytes.
  static let metricsBytes = 64 << 20
  /// The longest that it sleeps at once, in milliseconds: usleep(3) takes 32 bits of microseconds, 71 minutes.
  static let longestSleepMilliseconds = 60_000
  /// What its own requests ask for: a route of the API that goes through the stores.
  static let probePath = "/api/gardens?limit=1"

  /// What a watch has come to.
  package struct Outcome {
    package let verdict: Verdict
    package let seconds: Double
    package let traffic: Traffic
    /// The requests in it that are not the watch's own.
    package let clients: Traffic
    package let baseline: Traffic?
  }

  private let url: ServiceURL
  private let metrics: ServiceURL
  private let baseline: ServiceURL?
  private let demands: Demands
  private let report: (String) -> Void

  /// `url` is the server, `metrics` is where its metrics are, and `baseline` where another server's are. `report` is
  /// called with a line of progress after each look.
  package init(
    at url: ServiceURL, metrics: ServiceURL, baseline: ServiceURL?, _ demands: Demands,
    report: @escaping (String) -> Void
  ) {
    self.url = url
    self.metrics = metrics
    self.baseline = baseline
    self.demands = demands
    self.report = report
  }

  /// Looks until there is a verdict, a few seconds longer than the demands say at most.
  package func run() -> Outcome {
    var judgement = Judgement(demands)
    let start = Clock.monotonicMilliseconds()
    let end = start + Int(demands.seconds * 1_000)
    let probePause = demands.probesPerSecond > 0 ? Int(1_000 / demands.probesPerSecond) : nil
    var (nextLook, nextProbe, unanswered, probes) = (start, start, 0, Traffic())
    while true {
      if let probePause, Clock.monotonicMilliseconds() >= nextProbe {
        if let status = status(of: Self.probePath) {
          probes.add(Traffic(requests: 1, failures: status >= 500 ? 1 : 0))
        } else {
          unanswered += 1
        }
        nextProbe = max(nextProbe + probePause, Clock.monotonicMilliseconds())
      }
      let now = Clock.monotonicMilliseconds()
      if now >= nextLook {
        let seconds = Double(now - start) / 1_000
        if let verdict = judgement.take(look(at: seconds, unanswered, probes)) {
          return Outcome(
            verdict: verdict, seconds: seconds, traffic: judgement.traffic, clients: judgement.clients,
            baseline: judgement.baseline)
        }
        report(judgement.progress(at: seconds))
        (unanswered, probes) = (0, Traffic())
        nextLook = min(max(nextLook + Int(demands.pauseSeconds * 1_000), now), max(end, now))
      }
      let next = probePause == nil ? nextLook : min(nextLook, nextProbe)
      let pause = next - Clock.monotonicMilliseconds()
      if pause > 0 { usleep(Self.sleepMicroseconds(pause)) }
    }
  }

  /// How long to sleep at once, in microseconds, where `pause` milliseconds are left.
  static func sleepMicroseconds(_ pause: Int) -> UInt32 { UInt32(min(pause, longestSleepMilliseconds)) * 1_000 }

  private func look(at seconds: Double, _ unanswered: Int, _ probes: Traffic) -> Observation {
    Observation(
      seconds: seconds, isReady: status(of: "/readyz") == 200, tally: tally(at: metrics),
      baseline: baseline.flatMap(tally), unanswered: unanswered, probes: probes)
  }

  private func status(of path: String) -> Int? {
    let request = PlainHTTP.Request(url: url.appending(path: path))
    return try? PlainHTTP.send(request, timeoutMilliseconds: Self.timeoutMilliseconds).status
  }

  private func tally(at url: ServiceURL) -> Tally? {
    guard
      let answer = try? PlainHTTP.send(
        PlainHTTP.Request(url: url), timeoutMilliseconds: Self.metricsMilliseconds, maximumBytes: Self.metricsBytes),
      answer.status == 200
    else { return nil }
    return try? Tally(exposition: answer.body)
  }
}

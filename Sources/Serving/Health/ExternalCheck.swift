import Outbound
import Reactor
import Settings

/// Checks that the configured URLs answer. One that does not makes the server degraded, not unhealthy.
struct ExternalCheck {
  let urls: [String]
  let timeoutSeconds: Double
  let outbound: OutboundClient

  init(_ settings: Configuration.Health, _ outbound: OutboundClient) {
    urls = settings.externalURLs.map(\.description)
    timeoutSeconds = Double(settings.timeoutMilliseconds) / 1_000
    self.outbound = outbound
  }

  /// Asks all URLs at the same time; nil when none is configured.
  func run(on loop: EventLoop) async -> HealthCheck? {
    guard !urls.isEmpty else { return nil }
    let start = Clock.monotonic()
    let answers = urls.map { url in
      let answer = Pending<Bool>()
      loop.spawn { answer.complete(.success(await isAlive(url))) }
      return answer
    }
    var alive = 0
    for answer in answers where (try? await answer.value()) == true { alive += 1 }
    let end = Clock.monotonic()
    return HealthCheck(
      name: "external", status: alive == urls.count ? .healthy : .degraded, latencyNanoseconds: end - start,
      endedAt: end, figures: [("reachable", Double(alive)), ("configured", Double(urls.count))])
  }

  private func isAlive(_ url: String) async -> Bool {
    let answer = try? await outbound.send(OutboundRequest(url: url, timeoutSeconds: timeoutSeconds))
    return answer.map { $0.status < 500 } ?? false
  }
}

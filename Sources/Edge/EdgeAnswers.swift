import HTTP
import JSON
import Metrics
import Web

/// `edge_requests_total`: what clients got, whether the server made it or nginx itself.
final class EdgeAnswers {
  /// Whether the answer is one of the API's, for which there is a promise; nginx logs it in `scope`.
  static let scopes = ["api", "other"]
  /// Which side made the answer, as nginx logs it in `origin`.
  static let origins = ["server", "edge"]

  private let requests: Family<Counter>

  init(_ registry: Registry) {
    requests = registry.counter(
      "edge_requests_total", help: "Answers that clients got from the edge.",
      labels: ["scope", "origin", "status", "status_class"])
    // There at zero, so that the first failure is seen.
    let successes = [Status.ok, .created, .accepted, .noContent, .notModified, .clientClosed, .gatewayTimeout]
    let statuses = Set(successes.map { Int($0.rawValue) } + Problem.Code.allCases.map(\.status))
    for scope in Self.scopes {
      for origin in Self.origins { for status in statuses { _ = counter(scope, origin, status) } }
    }
  }

  /// Counts the answer that a line of the access log tells of; ignores a line without one.
  func count(_ line: JSONObject) {
    guard case .string(let code)? = line["statusCode"], let status = Int(code), (100...599).contains(status) else {
      return
    }
    counter(Self.value(line["scope"], of: Self.scopes), Self.value(line["origin"], of: Self.origins), status)
      .increment()
  }

  private func counter(_ scope: String, _ origin: String, _ status: Int) -> Counter {
    requests.child(shard: 0, scope, origin, String(status), "\(status / 100)xx")
  }

  /// Returns the member's value if it is known, else the last of `known`.
  private static func value(_ member: JSONValue?, of known: [String]) -> String {
    if case .string(let value)? = member, known.contains(value) { value } else { known[known.count - 1] }
  }
}

import HTTP
import Settings

/// How many requests a client may make: `count` per `seconds`, refilled evenly.
package struct RatePolicy: Sendable {
  let name: String
  let count: Int64
  let seconds: Int64
  /// What is counted, as a refusal names it.
  private let subject: String
  /// What stands before the numbers of a decision: the field that describes the policy, and the next one's beginning.
  private let fieldLead: [UInt8]

  init(_ name: String, _ rate: RequestRate, of subject: String = "requests") {
    self.name = name
    self.subject = subject
    count = Int64(rate.count)
    seconds = Int64(rate.seconds)
    fieldLead = Array("RateLimit-Policy: \"\(name)\";q=\(count);w=\(seconds)\r\nRateLimit: \"\(name)\";r=".utf8)
  }

  /// What one loop leases of a client's tokens at a time: a tenth of the quota or what comes in a quarter of a second,
  /// whichever is less, and at least one.
  var lease: Int64 { max(1, min(count / 10, count / (4 * seconds))) }

  /// The fields of the IETF's draft "RateLimit header fields for HTTP", version 9.
  func addFields(to fields: FieldWriter, _ decision: RateDecision) {
    fieldLead.withUnsafeBytes { fields.append(lead: $0, decimal: Int(decision.remaining)) }
    fields.append(lead: ";t=", decimal: Int(decision.resetSeconds))
    fields.append(lines: "\r\n")
  }

  /// The answer to a client that has no token left.
  func refusal(_ decision: RateDecision) -> Problem {
    Problem(
      .tooManyRequests, "You may make \(count) \(subject) in \(seconds) seconds.",
      retryAfterSeconds: max(1, decision.resetSeconds))
  }
}

import HTTP

/// A bound that is answered with 503: what the log and `overloads_total` call it, and the runbook explains.
package enum Limit: String, CaseIterable {
  case connections
  case memory
  case passwords
  case signIns = "sign-ins"
  case database
  case longReads = "long-reads"
  case readings
  case eventStreams = "event-streams"
  case watchedGardens = "watched-gardens"
  case transfers

  /// The bound of the HTTP layer.
  init(_ overload: Overload) {
    self =
      switch overload {
      case .connections: .connections
      case .memory: .memory
      }
  }

  /// The detail of the problem, for the client.
  var detail: String {
    switch self {
    case .connections: "Too many connections are open. Try again soon."
    case .memory: "The server has no memory left for this. Try again soon."
    case .passwords: "Too many passwords are being checked. Try again soon."
    case .signIns: "Other attempts to sign in to this account, or from this network, are under way. Try again soon."
    case .database: "Too many requests wait for the database. Try again soon."
    case .longReads: "Too many long reads are under way. Try again soon."
    case .readings: "More readings arrive than can be stored. Send them again."
    case .eventStreams: "Too many event streams are open. Try again soon."
    case .watchedGardens: "Too many gardens are being watched. Try again soon."
    case .transfers: "Other exports and imports are under way. Try again soon."
    }
  }

  /// When a retry may succeed, in seconds; nil where that is not known.
  var retryAfterSeconds: Int64? { self == .transfers ? 10 : nil }
}

extension Problem {
  /// 503 for a bound that was reached, with `detail` in place of the bound's own text where it is given.
  package init(_ limit: Limit, _ detail: String? = nil, cause: String? = nil) {
    self.init(.overloaded, detail ?? limit.detail, retryAfterSeconds: limit.retryAfterSeconds, cause: cause)
    self.limit = limit
  }
}

/// How much something matters.
package enum Severity: String, CaseIterable, Sendable, Comparable {
  /// Good to know.
  case info
  /// Something to do within days.
  case notice
  /// Something to do now.
  case warning

  package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .info: 0
    case .notice: 1
    case .warning: 2
    }
  }
}

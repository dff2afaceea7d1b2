/// The outcome of a watch.
package enum Verdict: Equatable, Sendable {
  /// All demands were met.
  case fine(String)
  /// It did not, for this reason.
  case worse(String)
  /// Too little was seen, which is no success.
  case unclear(String)

  /// One word.
  package var word: String {
    switch self {
    case .fine: "fine"
    case .worse: "worse"
    case .unclear: "unclear"
    }
  }

  /// Why.
  package var reason: String {
    switch self {
    case .fine(let reason), .worse(let reason), .unclear(let reason): reason
    }
  }

  /// A sentence for people.
  package var sentence: String {
    switch self {
    case .fine(let reason): "Fine: \(reason)."
    case .worse(let reason): "Worse: \(reason)."
    case .unclear(let reason): "Cannot tell: \(reason)."
    }
  }
}

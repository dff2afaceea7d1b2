/// Which passwords may be chosen: a line of text, long enough, and none of the commonest. Nothing is asked of their
/// composition.
package enum PasswordPolicy {
  /// How many Unicode scalars a password has.
  package static let length = 12...256

  /// Up to this length a mere run or repetition is refused too: beyond it, it is not among the commonest.
  private static let longestPattern = 20
  /// The longest unit whose repetition is refused.
  private static let longestUnit = 4

  /// What is wrong with a password, as the end of a sentence for its chooser; nil if it may be chosen.
  package static func fault(_ password: String) -> String? {
    // A password is entered as a line of text, which has none.
    if password.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return "must not contain control characters"
    }
    let count = password.unicodeScalars.count
    if count < length.lowerBound { return "must have at least \(length.lowerBound) characters" }
    if count > length.upperBound { return "must have at most \(length.upperBound) characters" }
    if CommonPasswords.contains(password) || count <= longestPattern && isPattern(password) {
      return "is among the passwords that attackers try first"
    }
    return nil
  }

  /// Whether it is `abababababab`, `123412341234`, `abcdefghijkl`, `987654321098` or the like.
  private static func isPattern(_ password: String) -> Bool {
    let scalars = Array(password.lowercased().unicodeScalars.map(\.value))
    let isRepetition = (1...longestUnit).contains { unit in
      zip(scalars, scalars.dropFirst(unit)).allSatisfy { $0 == $1 }
    }
    return isRepetition || isRun(scalars, by: 1) || isRun(scalars, by: -1)
  }

  /// Whether each scalar is `step` after the one before it; digits go round.
  private static func isRun(_ scalars: [UInt32], by step: Int64) -> Bool {
    zip(scalars, scalars.dropFirst()).allSatisfy { first, second in
      let next = Int64(first) + step
      let zero: Int64 = 48
      let wrapped = (zero..<zero + 10).contains(Int64(first)) ? zero + (next - zero + 10) % 10 : next
      return Int64(second) == wrapped
    }
  }
}

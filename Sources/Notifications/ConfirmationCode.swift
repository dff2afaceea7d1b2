import Secrets
import Values

/// The code that is mailed to an address, and by which its reader agrees to be sent news: derived from the channel and the
/// address, so that it is kept nowhere and is another one for each.
struct ConfirmationCode {
  /// How much of the message authentication code it is, in bytes: 2⁴⁸ tries are far more than a user's rate allows.
  private static let byteCount = 6
  private static let groupLength = 4

  /// The first key is for codes that are mailed from now on, the others are for those that were mailed before.
  private let keys: [[UInt8]]

  init(keys: [[UInt8]]) { self.keys = keys }

  /// As it is mailed: `3f9a-02bc-77de`.
  func text(for channel: Channel) -> String {
    let code = MessageAuthentication(key: keys[0]).code(of: Self.message(channel)).prefix(Self.byteCount)
    var digits = code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()[...]
    var groups: [Substring] = []
    while !digits.isEmpty {
      groups.append(digits.prefix(Self.groupLength))
      digits = digits.dropFirst(Self.groupLength)
    }
    return groups.joined(separator: "-")
  }

  /// Whether that is the channel's code, however its digits are grouped and written.
  func isRight(_ text: String, for channel: Channel) -> Bool {
    let digits = text.filter { $0 != "-" && $0 != " " }
    guard digits.utf8.count == 2 * Self.byteCount, digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
      let number = UInt64(digits, radix: 16)
    else { return false }
    let code = (0..<Self.byteCount).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    return Self.message(channel).withUnsafeBytes { message in
      keys.contains { MessageAuthentication(key: $0).isValid(code, of: message) }
    }
  }

  private static func message(_ channel: Channel) -> [UInt8] { Array("\(channel.id) \(channel.target)".utf8) }
}

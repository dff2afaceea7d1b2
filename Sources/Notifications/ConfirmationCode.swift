import Secrets
import Values
import Web

/// The code that is mailed to an address, and by which its reader agrees to be sent news. It is derived from the
/// channel and the address, so that it is stored nowhere and differs for each.
struct ConfirmationCode {
  /// How much of the message authentication code is used, in bytes: 2⁴⁸ tries are far more than a user's rate allows.
  private static let byteCount = 6
  private static let groupLength = 4

  /// The first key is for codes that are mailed from now on, the others for codes that were mailed before.
  private let keys: [[UInt8]]

  init(keys: [[UInt8]]) { self.keys = keys }

  /// The code as it is mailed: `3f9a-02bc-77de`.
  func text(for channel: Channel) -> String {
    var digits = Self.digits(for: channel, by: keys[0])[...]
    var groups: [Substring] = []
    while !digits.isEmpty {
      groups.append(digits.prefix(Self.groupLength))
      digits = digits.dropFirst(Self.groupLength)
    }
    return groups.joined(separator: "-")
  }

  /// Whether `text` is the channel's code, however its digits are grouped and whatever their case.
  func isRight(_ text: String, for channel: Channel) -> Bool {
    let given = Array(text.asciiLowercased.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") })
    return keys.contains { constantTimeEquals(given, Array(Self.digits(for: channel, by: $0).utf8)) }
  }

  /// The code's digits, lower-case hexadecimal ones.
  private static func digits(for channel: Channel, by key: [UInt8]) -> String {
    MessageAuthentication(key: key).code(of: message(channel)).prefix(byteCount).lowerHex
  }

  private static func message(_ channel: Channel) -> [UInt8] { Array("\(channel.id) \(channel.target)".utf8) }
}

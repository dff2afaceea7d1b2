import HTTP
import Secrets
import Values

/// A mail as mail servers take it: header and body (RFC 5322, RFC 2045, RFC 2047), in ASCII.
struct MailText {
  /// The most bytes of one encoded word (RFC 2047, section 2: 75 characters with all around it).
  private static let wordBytes = 45
  /// The length of a line of Base64 (RFC 2045, section 6.8).
  private static let lineLength = 76

  let sender: String
  let recipient: String
  let subject: String
  let text: String
  /// Identifies the message, in every attempt.
  let id: String
  let date: Timestamp

  var content: [UInt8] {
    let host = sender.split(separator: "@").last.map(String.init) ?? "localhost"
    var lines = [
      "From: Terroir <\(sender)>", "To: <\(recipient)>", "Subject: \(Self.words(subject).joined(separator: "\r\n "))",
      "Date: \(date.internetMessageText) +0000", "Message-ID: <\(id)@\(host)>", "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
    ]
    var rest = Base64.standard.padded(Array(text.utf8))[...]
    while !rest.isEmpty {
      lines.append(String(rest.prefix(Self.lineLength)))
      rest = rest.dropFirst(Self.lineLength)
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
  }

  /// Returns a text in the encoded words that a header field may hold, or as it is where it is short and printable
  /// ASCII.
  static func words(_ text: String) -> [String] {
    let isPlain = text.utf8.count <= wordBytes && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    if isPlain, !text.contains("=?") { return [text] }
    var words: [String] = []
    var word = ""
    // No character is split between two words.
    for scalar in text.unicodeScalars {
      if word.utf8.count + String(scalar).utf8.count > wordBytes {
        words.append(word)
        word = ""
      }
      word.unicodeScalars.append(scalar)
    }
    return (words + [word]).map { "=?UTF-8?B?\(Base64.standard.padded(Array($0.utf8)))?=" }
  }
}

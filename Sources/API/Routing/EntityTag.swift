import CCrypto
import Values

/// A validator made of the bytes that it stands for (RFC 9110, section 8.8.3).
struct EntityTag: Equatable {
  /// Half of a SHA-256: enough that two answers never share one.
  static let digestBytes = 16
  let digest: [UInt8]

  init(digest: [UInt8]) { self.digest = digest }

  init(of body: [UInt8]) {
    var hash = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(body, body.count, &hash)
    digest = Array(hash[..<Self.digestBytes])
  }

  /// The digits between the quotes.
  private var digits: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * digest.count)
    for byte in digest {
      bytes.append(lowerHexDigits[Int(byte >> 4)])
      bytes.append(lowerHexDigits[Int(byte & 15)])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// As a strong validator: same tag, same bytes.
  var strong: String { "\"\(digits)\"" }

  /// As a weak validator, for lists.
  var weak: String { "W/\"\(digits)\"" }

  /// Whether a field such as `If-None-Match` names this tag; strong comparison refuses weak tags (section 8.8.3.2).
  func isNamed(in field: String, strongly: Bool) -> Bool {
    let digits = "\"\(digits)\""
    return field.split(separator: ",").contains { part in
      let tag = part.drop { $0 == " " || $0 == "\t" }
      if tag == "*" || tag.hasPrefix(digits) && tag.dropFirst(digits.count).allSatisfy({ $0 == " " || $0 == "\t" }) {
        return true
      }
      return !strongly && tag.hasPrefix("W/") && tag.dropFirst(2).hasPrefix(digits)
    }
  }
}

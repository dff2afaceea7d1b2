import CCrypto
import Values

/// A validator made of the bytes that it stands for (RFC 9110, section 8.8.3).
///
/// A resource that also shows what no client changes, such as when a device was last seen, has a revision: the state of
/// all that clients do change. It leads the tag. The whole tag still changes with every byte, as a strong validator
/// must; `If-Match`, which keeps a client from overwriting what another one changed (section 13.1.1), asks for the
/// revision alone, for else a device that reports would refuse its owner's every change.
struct EntityTag: Equatable {
  /// Half of a SHA-256: enough that two answers never share one.
  static let digestBytes = 16
  let digest: [UInt8]
  private let revision: Timestamp?

  init(digest: [UInt8]) {
    self.digest = digest
    revision = nil
  }

  /// The tag of a body; `revision` is when a client last changed a resource that is more than clients may change.
  init(of body: [UInt8], revision: Timestamp? = nil) {
    var hash = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(body, body.count, &hash)
    digest = Array(hash[..<Self.digestBytes])
    self.revision = revision
  }

  /// As a strong validator: same tag, same bytes.
  var strong: String { "\"\(revision.map { "\($0.unixMilliseconds)." } ?? "")\(digits)\"" }

  /// As a weak validator, for lists.
  var weak: String { "W/" + strong }

  private var digits: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * digest.count)
    for byte in digest {
      bytes.append(lowerHexDigits[Int(byte >> 4)])
      bytes.append(lowerHexDigits[Int(byte & 15)])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether `If-None-Match` names this tag, by weak comparison (section 8.8.3.2).
  func isNamed(ifNoneMatch field: String) -> Bool {
    let strong = strong
    return Self.members(of: field).contains { $0 == "*" || $0 == strong || $0 == "W/" + strong }
  }

  /// Whether `If-Match` names this tag, or another one of the same revision. Weak tags never match.
  func isNamed(ifMatch field: String) -> Bool {
    let strong = strong
    let revision = revision.map { "\"\($0.unixMilliseconds)." }
    return Self.members(of: field).contains { tag in
      if tag == "*" || tag == strong { return true }
      guard let revision else { return false }
      return tag.hasPrefix(revision) && tag.utf8.count == strong.utf8.count && tag.hasSuffix("\"")
    }
  }

  private static func members(of field: String) -> some Sequence<String> {
    field.split(separator: ",").lazy.map { String($0).trimmingSpaces }
  }
}

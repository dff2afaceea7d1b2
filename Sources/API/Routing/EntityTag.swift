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
  private let digest: (UInt64, UInt64)
  private let revision: Timestamp?

  /// Reads a digest from its `digestBytes` bytes.
  init(digest bytes: UnsafeRawBufferPointer, revision: Timestamp? = nil) {
    digest = (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    self.revision = revision
  }

  /// The tag of a body; `revision` is when a client last changed a resource that is more than clients may change.
  init(of body: [UInt8], revision: Timestamp? = nil) {
    self = withUnsafeTemporaryAllocation(byteCount: Int(SHA256_DIGEST_LENGTH), alignment: 8) { hash in
      SHA256(body, body.count, hash.baseAddress)
      return EntityTag(digest: UnsafeRawBufferPointer(hash), revision: revision)
    }
  }

  /// The tag of an answer that is made of several parts.
  init(of parts: Digests) { self.init(of: parts.bytes) }

  /// The digests of an answer's parts.
  struct Digests {
    fileprivate private(set) var bytes: [UInt8] = []

    /// Adds the digest of values that are equal when their bytes are.
    mutating func append<Value: BitwiseCopyable>(_ values: [Value]) {
      bytes.append(addingCapacity: Int(SHA256_DIGEST_LENGTH)) { digest in
        digest.withUnsafeMutableBufferPointer { digest, length in
          values.withUnsafeBytes { values in _ = SHA256(values.baseAddress, values.count, digest.baseAddress) }
          length = digest.count
        }
      }
    }
  }

  /// The digest's bytes.
  var bytes: [UInt8] { withUnsafeBytes(of: digest) { Array($0) } }

  static func == (left: EntityTag, right: EntityTag) -> Bool {
    left.digest == right.digest && left.revision == right.revision
  }

  /// As a strong validator: same tag, same bytes.
  var strong: String { text(lead) }

  /// As a weak validator, for lists.
  var weak: String { text("W/" + lead) }

  /// What stands before the digits.
  private var lead: String { revision.map { "\"\($0.unixMilliseconds)." } ?? "\"" }

  /// The digits of the digest, between what leads them and a quote.
  private func text(_ lead: String) -> String {
    let (length, count) = (lead.utf8.count, 2 * Self.digestBytes)
    return String(unsafeUninitializedCapacity: length + count + 1) { text in
      _ = text.update(fromContentsOf: lead.utf8)
      let digits = UnsafeMutableRawPointer(text.baseAddress! + length)
      for (index, word) in [digest.0, digest.1].enumerated() {
        let halves = (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
        digits.storeBytes(of: lowerHex(halves.0.byteSwapped), toByteOffset: 16 * index, as: UInt64.self)
        digits.storeBytes(of: lowerHex(halves.1.byteSwapped), toByteOffset: 16 * index + 8, as: UInt64.self)
      }
      text[length + count] = UInt8(ascii: "\"")
      return length + count + 1
    }
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

import Secrets
import Values

/// A validator made of the bytes that it stands for (RFC 9110, section 8.8.3).
///
/// A resource that also shows what no client changes, such as when a device was last seen, has a revision: the state of
/// all that clients do change. The revision leads the tag. The whole tag still changes with every byte, as a strong
/// validator must; `If-Match`, which keeps a client from overwriting what another one changed (section 13.1.1),
/// compares the revision alone, since otherwise a device that reports would make its owner's every change fail.
package struct EntityTag: Equatable {
  /// Half of a SHA-256: enough that two answers never share one.
  static let digestBytes = 16
  private let digest: (UInt64, UInt64)
  private let revision: Timestamp?

  /// Reads a digest from its `digestBytes` bytes.
  init(digest bytes: UnsafeRawBufferPointer, revision: Timestamp? = nil) {
    digest = (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    self.revision = revision
  }

  /// Makes the tag of a body. `revision` is when a client last changed the resource; nil where clients change all that
  /// it shows.
  init(of body: [UInt8], revision: Timestamp? = nil) {
    self = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.length) { digest in
      body.withUnsafeBytes { Digest.sha256($0, into: digest.baseAddress!) }
      return EntityTag(digest: UnsafeRawBufferPointer(digest), revision: revision)
    }
  }

  /// The tag of an answer that is made of several parts.
  package init(of parts: Digests) { self.init(of: parts.bytes) }

  /// The digests of an answer's parts.
  package struct Digests {
    fileprivate private(set) var bytes: [UInt8] = []

    package init() {
    }

    /// Adds the digest of values that are equal when their bytes are.
    package mutating func append<Value: BitwiseCopyable>(_ values: [Value]) {
      bytes.append(addingCapacity: Digest.length) { digest in
        digest.withUnsafeMutableBufferPointer { digest, length in
          values.withUnsafeBytes { Digest.sha256($0, into: digest.baseAddress!) }
          length = digest.count
        }
      }
    }
  }

  /// The digest's bytes.
  var bytes: [UInt8] { withUnsafeBytes(of: digest) { Array($0) } }

  package static func == (left: EntityTag, right: EntityTag) -> Bool {
    left.digest == right.digest && left.revision == right.revision
  }

  /// As a strong validator: same tag, same bytes.
  var strong: String { withText(isWeak: false) { String(decoding: $0, as: UTF8.self) } }

  /// As a weak validator, for lists.
  package var weak: String { withText(isWeak: true) { String(decoding: $0, as: UTF8.self) } }

  /// Calls `body` with the tag as it stands in a field.
  func withText<Result>(isWeak: Bool, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let lead = isWeak ? "W/" + lead : lead
    let (length, count) = (lead.utf8.count, 2 * Self.digestBytes)
    return withUnsafeTemporaryAllocation(byteCount: length + count + 1, alignment: 1) { text in
      text.copyBytes(from: lead.utf8)
      for (index, word) in [(0, digest.0), (1, digest.1)] {
        let halves = (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
        let place = length + 16 * index
        text.storeBytes(of: lowerHex(halves.0.byteSwapped), toByteOffset: place, as: UInt64.self)
        text.storeBytes(of: lowerHex(halves.1.byteSwapped), toByteOffset: place + 8, as: UInt64.self)
      }
      text[length + count] = UInt8(ascii: "\"")
      return body(UnsafeRawBufferPointer(text))
    }
  }

  /// What stands before the digits.
  private var lead: String { revision.map { "\"\($0.unixMilliseconds)." } ?? "\"" }

  /// Whether `If-None-Match` names this tag, by weak comparison (section 8.8.3.2).
  func isNamed(ifNoneMatch field: String) -> Bool {
    let strong = strong
    return Self.members(of: field).contains { $0 == "*" || $0 == strong || $0 == "W/" + strong }
  }

  /// Whether `If-Match` names this tag, another one of the same revision, or the digest alone, which means the same
  /// bytes: in an earlier release the tag of a channel had no revision. Weak tags never match.
  func isNamed(ifMatch field: String) -> Bool {
    let (strong, lead) = (strong, lead)
    let digest = "\"" + strong.dropFirst(lead.utf8.count)
    return Self.members(of: field).contains { tag in
      if tag == "*" || tag == strong || tag == digest { return true }
      guard revision != nil else { return false }
      return tag.hasPrefix(lead) && tag.utf8.count == strong.utf8.count && tag.hasSuffix("\"")
    }
  }

  private static func members(of field: String) -> some Sequence<String> {
    field.split(separator: ",").lazy.map { String($0).trimmingSpaces }
  }
}

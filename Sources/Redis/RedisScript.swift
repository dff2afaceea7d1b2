import CCrypto
import Values

/// A Lua script that Redis keeps and knows by its SHA-1.
package struct RedisScript: Sendable {
  package let text: String
  /// The SHA-1 of the text in lower-case hexadecimal, as EVALSHA takes it.
  package let digest: String

  package init(_ text: String) {
    self.text = text
    var hash = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    let bytes = Array(text.utf8)
    SHA1(bytes, bytes.count, &hash)
    digest = hash.lowerHex
  }
}

import CCrypto

/// SHA-256 of libcrypto.
package enum Digest {
  /// The length of a digest in bytes.
  package static let length = Int(SHA256_DIGEST_LENGTH)

  /// The digest of some bytes.
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: length) { digest, count in
      bytes.withUnsafeBytes { sha256($0, into: digest.baseAddress!) }
      count = length
    }
  }

  /// Writes the `length` bytes of a digest.
  package static func sha256(_ bytes: UnsafeRawBufferPointer, into digest: UnsafeMutablePointer<UInt8>) {
    var context = SHA256_CTX()
    SHA256_Init(&context)
    SHA256_Update(&context, bytes.baseAddress, bytes.count)
    SHA256_Final(digest, &context)
  }
}

/// Whether two secrets are equal, in a time that tells nothing but whether their lengths are.
package func constantTimeEquals(_ one: [UInt8], _ other: [UInt8]) -> Bool {
  one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
}

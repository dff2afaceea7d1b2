import CCrypto

/// SHA-256 of libcrypto.
package enum Digest {
  /// The length of a digest in bytes.
  package static let length = Int(SHA256_DIGEST_LENGTH)

  package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: length) { digest, count in
      SHA256(bytes, bytes.count, digest.baseAddress)
      count = length
    }
  }
}

/// Whether two secrets are equal, in a time that tells nothing but whether their lengths are.
package func constantTimeEquals(_ one: [UInt8], _ other: [UInt8]) -> Bool {
  one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
}

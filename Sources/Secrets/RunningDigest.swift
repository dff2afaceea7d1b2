import CCrypto

/// SHA-256 of bytes that come piece by piece.
package struct RunningDigest {
  private var context = SHA256_CTX()

  /// Begins with some bytes.
  package init(_ bytes: [UInt8] = []) {
    SHA256_Init(&context)
    append(bytes)
  }

  /// Goes on with the next piece.
  package mutating func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = SHA256_Update(&context, $0.baseAddress, $0.count) }
  }

  /// The digest of all bytes so far.
  package var value: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Digest.length) { digest, count in
      var context = context
      SHA256_Final(digest.baseAddress, &context)
      count = Digest.length
    }
  }
}

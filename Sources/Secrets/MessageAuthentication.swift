import CCrypto

/// HMAC-SHA256 (RFC 2104) under one key, whose two keyed hash states are computed once.
///
/// Not Sendable: each loop has its own.
package final class MessageAuthentication {
  /// The length of a code in bytes.
  package static let codeLength = Digest.length

  private let context: OpaquePointer
  private let code = UnsafeMutablePointer<UInt8>.allocate(capacity: MessageAuthentication.codeLength)

  package init(key: [UInt8]) {
    guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil), let context = EVP_MAC_CTX_new(algorithm) else {
      fatalError("libcrypto has no HMAC")
    }
    EVP_MAC_free(algorithm)
    self.context = context
    // A parameter points at both its name and its value, which must outlive the call that makes it.
    let status = "digest".withCString { name in
      var digest = Array("SHA256".utf8CString)
      return digest.withUnsafeMutableBufferPointer { digest in
        let parameters = [
          OSSL_PARAM_construct_utf8_string(name, digest.baseAddress, 0), OSSL_PARAM_construct_end(),
        ]
        return EVP_MAC_init(context, key, key.count, parameters)
      }
    }
    precondition(status == 1, "libcrypto has no SHA-256, or the key is empty")
  }

  deinit {
    EVP_MAC_CTX_free(context)
    OPENSSL_cleanse(code, Self.codeLength)
    code.deallocate()
  }

  /// Calls `body` with the code of a message; its bytes are valid within the call only.
  package func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result)
    -> Result
  {
    var length = 0
    // Without a key the context begins anew under the key that it has.
    let isComputed =
      EVP_MAC_init(context, nil, 0, nil) == 1
      && EVP_MAC_update(context, message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count) == 1
      && EVP_MAC_final(context, code, &length, Self.codeLength) == 1
    precondition(isComputed && length == Self.codeLength, "libcrypto cannot compute an HMAC")
    return body(UnsafeRawBufferPointer(start: code, count: Self.codeLength))
  }

  /// The code of a message.
  package func code(of message: [UInt8]) -> [UInt8] {
    message.withUnsafeBytes { withCode(of: $0) { Array($0) } }
  }

  /// Whether the first bytes of the message's code, as many as `code` has, are equal to it; in constant time.
  package func isValid(_ code: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
    guard !code.isEmpty, code.count <= Self.codeLength else { return false }
    return withCode(of: message) { CRYPTO_memcmp($0.baseAddress, code, code.count) == 0 }
  }
}

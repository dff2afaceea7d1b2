import CCrypto

/// Encrypts secrets that are stored and have to be shown again: AES-256 in GCM, of libcrypto (NIST SP 800-38D).
///
/// What is sealed begins with the nonce, then the tag. Nonces are random: far fewer than 2³² are made with one key.
package struct Seal {
  private static let nonceLength = 12
  private static let tagLength = 16

  /// 32 bytes each. The first key seals; the others open what was sealed before.
  package let keys: [[UInt8]]

  package init(keys: [[UInt8]]) {
    self.keys = keys
  }

  /// The nonce, the tag and the text, sealed with the first key.
  package func seal(_ text: [UInt8]) -> [UInt8] {
    let nonce = [UInt8].random(count: Self.nonceLength)
    var tag = [UInt8](repeating: 0, count: Self.tagLength)
    let sealed = Self.withContext { context -> [UInt8] in
      var output = [UInt8](repeating: 0, count: text.count)
      var (count, rest): (Int32, Int32) = (0, 0)
      let isDone =
        EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, keys[0], nonce) == 1
        && EVP_EncryptUpdate(context, &output, &count, text, Int32(text.count)) == 1
        && EVP_EncryptFinal_ex(context, nil, &rest) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagLength), &tag) == 1
      precondition(isDone, "libcrypto cannot encrypt")
      return output
    }
    return nonce + tag + sealed
  }

  /// Returns what was sealed; nil when it was sealed with another key, or altered since.
  package func open(_ bytes: [UInt8]) -> [UInt8]? { opened(bytes)?.text }

  /// Seals again with the first key what was sealed with another; nil when it is sealed with the first, or cannot be
  /// opened.
  package func resealed(_ bytes: [UInt8]) -> [UInt8]? {
    guard let (text, key) = opened(bytes), key > 0 else { return nil }
    return seal(text)
  }

  /// Returns what was sealed, and the index of its key.
  private func opened(_ bytes: [UInt8]) -> (text: [UInt8], key: Int)? {
    let head = Self.nonceLength + Self.tagLength
    guard bytes.count >= head else { return nil }
    let nonce = Array(bytes[..<Self.nonceLength])
    var tag = Array(bytes[Self.nonceLength..<head])
    let sealed = Array(bytes[head...])
    for (index, key) in keys.enumerated() {
      let text = Self.withContext { context -> [UInt8]? in
        var output = [UInt8](repeating: 0, count: sealed.count)
        var (count, rest): (Int32, Int32) = (0, 0)
        let isWhole =
          EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
          && EVP_DecryptUpdate(context, &output, &count, sealed, Int32(sealed.count)) == 1
          && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagLength), &tag) == 1
          && EVP_DecryptFinal_ex(context, nil, &rest) == 1
        return isWhole ? output : nil
      }
      if let text { return (text, index) }
    }
    return nil
  }

  private static func withContext<Result>(_ body: (OpaquePointer) -> Result) -> Result {
    guard let context = EVP_CIPHER_CTX_new() else { fatalError("libcrypto has no memory") }
    defer { EVP_CIPHER_CTX_free(context) }
    return body(context)
  }
}

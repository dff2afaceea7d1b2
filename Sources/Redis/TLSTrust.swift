import CTLS

/// The certificate authorities that TLS trusts: the machine's, or others.
///
/// Invariant 4: it never changes once it is made, and OpenSSL counts and locks its own uses of it.
package final class TLSTrust: @unchecked Sendable {
  /// The machine's authorities; those that a server needs are read from its files when it is first met.
  static let machine = TLSTrust()

  let context: OpaquePointer
  /// The number of authorities given; 0 for the machine's.
  package let count: Int

  private init() {
    context = Self.makeContext()
    count = 0
    SSL_CTX_set_default_verify_paths(context)
  }

  /// Only the authorities whose PEM certificates the text holds; nil if there is none or one is malformed.
  package init?(pem: String) {
    context = Self.makeContext()
    var pem = pem
    let found = pem.withUTF8 { [store = SSL_CTX_get_cert_store(context)] in Self.add($0, to: store) }
    count = found ?? 0
    if count == 0 { return nil }
  }

  deinit { SSL_CTX_free(context) }

  private static func makeContext() -> OpaquePointer {
    guard let context = SSL_CTX_new(TLS_client_method()) else { fatalError("out of memory") }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    // What the macros of these calls expand to.
    SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
    // The output buffer may have moved and grown before the rest of it is sent.
    SSL_CTX_ctrl(
      context, SSL_CTRL_MODE, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER), nil)
    return context
  }

  /// Adds every certificate of a text and returns how many there were; nil if one is malformed.
  private static func add(_ text: UnsafeBufferPointer<UInt8>, to store: OpaquePointer?) -> Int? {
    guard let source = BIO_new_mem_buf(text.baseAddress, Int32(text.count)) else { return nil }
    defer {
      BIO_free(source)
      ERR_clear_error()
    }
    var count = 0
    ERR_clear_error()
    while let certificate = PEM_read_bio_X509(source, nil, nil, nil) {
      X509_STORE_add_cert(store, certificate)
      X509_free(certificate)
      count += 1
    }
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? count : nil
  }
}

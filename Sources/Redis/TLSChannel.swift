import CTLS
import Glibc

/// TLS over one non-blocking socket. No call waits: one that cannot be finished returns what to wait for.
final class TLSChannel {
  enum Outcome {
    case done(Int)
    case wantsToRead
    case wantsToWrite
    case ended(reason: String)
  }

  private let session: OpaquePointer
  /// Whether the handshake has proved who the server is; nothing is sent before.
  private(set) var isOpen = false

  /// Makes a channel over a socket that connects to `host`, a name or an address, which the server's certificate must
  /// be for.
  init(_ trust: TLSTrust, host: String, fd: Int32) {
    guard let session = SSL_new(trust.context), SSL_set_fd(session, fd) == 1 else { fatalError("out of memory") }
    self.session = session
    if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) != 1 {
      SSL_set1_host(session, host)
      // Tells a server with several certificates which to show (RFC 6066, section 3); addresses are not allowed there.
      var name = Array(host.utf8CString)
      SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name)
    }
    SSL_set_connect_state(session)
  }

  deinit { SSL_free(session) }

  /// Continues the handshake.
  func open() -> Outcome {
    let outcome = outcome { SSL_do_handshake(session) }
    if case .done = outcome { isOpen = true }
    return outcome
  }

  /// Reads at most one record, so that nothing is left behind in OpenSSL: the socket still reports what is left.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    outcome { SSL_read(session, buffer.baseAddress, Int32(buffer.count)) }
  }

  /// The longest record (RFC 8446, section 5.1), in bytes.
  static let recordBytes = 16_384

  /// Sends at most one record of `bytes`, which must not be empty.
  func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    outcome { SSL_write(session, bytes.baseAddress, Int32(min(bytes.count, Self.recordBytes))) }
  }

  private func outcome(_ step: () -> Int32) -> Outcome {
    // SSL_get_error(3) also looks at the thread's errors, of which none may be left from before.
    ERR_clear_error()
    errno = 0
    let result = step()
    if result > 0 { return .done(Int(result)) }
    return switch SSL_get_error(session, result) {
    case SSL_ERROR_WANT_READ: .wantsToRead
    case SSL_ERROR_WANT_WRITE: .wantsToWrite
    case SSL_ERROR_ZERO_RETURN: .ended(reason: Self.closed)
    case SSL_ERROR_SYSCALL: .ended(reason: errno == 0 ? Self.closed : String(cString: strerror(errno)))
    default: .ended(reason: failure())
    }
  }

  /// In hiredis' words for an end without TLS.
  private static let closed = "Server closed the connection"

  private func failure() -> String {
    let verdict = SSL_get_verify_result(session)
    if verdict != Int(X509_V_OK) {
      return "TLS: the certificate is not trusted: \(String(cString: X509_verify_cert_error_string(verdict)))"
    }
    let code = ERR_peek_error()
    if ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING { return Self.closed }
    return "TLS: \(ERR_reason_error_string(code).map { String(cString: $0) } ?? "failed")"
  }
}

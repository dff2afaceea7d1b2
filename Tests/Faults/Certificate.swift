import Glibc
import Reactor
import TestSupport

/// A certificate with its key, in files that are removed with it.
package final class Certificate: Sendable {
  private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

  private let folder: String
  package var path: String { "\(folder)/certificate" }
  package var keyPath: String { "\(folder)/key" }

  /// Makes a self-signed certificate, which can also sign others. `name` is the server's as X.509 writes it:
  /// `DNS:localhost` or `IP:127.0.0.1`.
  package init(for name: String) throws {
    folder = try Self.makeFolder()
    try Self.openssl(["req", "-x509", "-days", "1"] + Self.subject(name) + ["-keyout", keyPath, "-out", path])
  }

  /// Makes a certificate that `authority` signs, valid for `days` from now; with a number below zero it has expired.
  package init(for name: String, by authority: Certificate, days: Int = 1) throws {
    folder = try Self.makeFolder()
    let request = "\(folder)/request"
    defer { unlink(request) }
    try Self.openssl(["req", "-new"] + Self.subject(name) + ["-keyout", keyPath, "-out", request])
    try Self.openssl([
      "x509", "-req", "-in", request, "-CA", authority.path, "-CAkey", authority.keyPath, "-copy_extensions", "copy",
      "-days", "\(days)", "-out", path,
    ])
  }

  deinit {
    for file in [path, keyPath] { unlink(file) }
    rmdir(folder)
  }

  private static func subject(_ name: String) -> [String] {
    key + ["-subj", "/CN=\(name)", "-addext", "subjectAltName=\(name)"]
  }

  private static func makeFolder() throws -> String {
    var template = Array("/tmp/terroir-certificate-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func openssl(_ arguments: [String]) throws {
    let process = try ChildProcess.spawn(["openssl"] + arguments)
    var status: Int32 = 0
    guard waitpid(process, &status, 0) == process, status == 0 else { throw SystemError("openssl", code: status) }
  }

  /// The certificate in PEM.
  package var text: String {
    get throws {
      guard let file = fopen(path, "r") else { throw SystemError("fopen") }
      defer { fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 65_536)
      return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }
  }

  /// The arguments with which a redis-server uses it for TLS, without asking clients for a certificate.
  var redisArguments: [String] {
    ["--tls-cert-file", path, "--tls-key-file", keyPath, "--tls-ca-cert-file", path, "--tls-auth-clients", "no"]
  }
}

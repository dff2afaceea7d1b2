import Glibc
import Reactor

/// A certificate that vouches for itself, with its key, in files that end with it.
package final class Certificate: Sendable {
  private let folder: String

  /// For a server of that name, as X.509 has it: `DNS:localhost` or `IP:127.0.0.1`.
  package init(for name: String) throws {
    var template = Array("/tmp/terroir-certificate-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let process = try PrivateServer.spawn([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
      "-subj", "/CN=test", "-addext", "subjectAltName=\(name)", "-keyout", "\(folder)/key", "-out",
      "\(folder)/certificate",
    ])
    var status: Int32 = 0
    guard waitpid(process, &status, 0) == process, status == 0 else { throw SystemError("openssl", code: status) }
  }

  deinit {
    for name in ["key", "certificate"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  /// In PEM.
  package var text: String {
    get throws {
      guard let file = fopen("\(folder)/certificate", "r") else { throw SystemError("fopen") }
      defer { fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 65_536)
      return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }
  }

  /// Has a redis-server speak TLS with it, and ask its clients for no certificate.
  var redisArguments: [String] {
    [
      "--tls-cert-file", "\(folder)/certificate", "--tls-key-file", "\(folder)/key", "--tls-ca-cert-file",
      "\(folder)/certificate", "--tls-auth-clients", "no",
    ]
  }
}

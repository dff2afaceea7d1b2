import Faults
import JSON

/// An HTTPS server that answers 204 to each POST.
final class SecureReceiver: Sendable {
  private let server: PythonServer
  var port: UInt16 { server.port }

  init(_ certificate: Certificate) throws {
    server = try PythonServer(Self.program, [certificate.path, certificate.keyPath])
  }

  /// The requests that were posted: `path` and `body`.
  var received: [JSONValue] { server.taken }

  private static let program = """
    import http.server, json, ssl, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            print(json.dumps({"path": self.path, "body": body.decode()}), flush=True)
            self.send_response(204)
            self.end_headers()
        def log_message(self, *words):
            pass
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """
}

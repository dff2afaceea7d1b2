import Faults
import JSON
import Secrets
import Testing

/// A real SMTP server: aiosmtpd, which takes any user and password.
final class MailServer: Sendable {
  /// How the server speaks TLS.
  enum Encryption: Sendable {
    case none
    /// By STARTTLS.
    case offered(Certificate)
    /// STARTTLS is offered and then refused, as an attacker in between may have it.
    case refused(Certificate)
    /// From the first byte.
    case wrapped(Certificate)

    fileprivate var arguments: [String] {
      switch self {
      case .none: ["none"]
      case .offered(let certificate): ["offered", certificate.path, certificate.keyPath]
      case .refused(let certificate): ["refused", certificate.path, certificate.keyPath]
      case .wrapped(let certificate): ["wrapped", certificate.path, certificate.keyPath]
      }
    }
  }

  private let server: PythonServer
  var port: UInt16 { server.port }

  /// Starts a server on `port`, as one had before, or on a free one if that is 0.
  init(port: UInt16 = 0, _ encryption: Encryption = .none) throws {
    server = try PythonServer(Self.program, ["\(port)"] + encryption.arguments)
  }

  /// The settings with which our server sends its mail there without TLS.
  var settings: [String: String] { Self.settings(port: port) }
  static func settings(port: UInt16) -> [String: String] {
    ["SMTP_URL": "smtp://127.0.0.1:\(port)", "SMTP_STARTTLS": "none", "SMTP_FROM": "garden@example.org"]
  }

  /// The messages that it has accepted: `from`, `to`, and the message itself in `data`.
  var messages: [JSONValue] { server.taken.filter { $0["data"] != nil } }

  /// The names of the users that have signed in with a password.
  var users: [String] { server.taken.compactMap { $0["user"]?.text } }

  /// The texts of the messages to an address.
  func texts(to address: String) -> [String] {
    messages.filter { $0["to"]?.text == address }.compactMap { message in
      let parts = message["data"]?.text?.split(separator: "\r\n\r\n", maxSplits: 1)
      let body = parts?.last?.filter { $0 != "=" && !$0.isNewline }
      return body.flatMap { Base64.standard.decode($0) }.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The last code that was sent to an address; waits for the first.
  func code(sentTo address: String) throws -> String {
    #expect(holds { !texts(to: address).isEmpty })
    return String(try #require(texts(to: address).last?.firstMatch(of: /(?:[0-9a-f]{4}-){2}[0-9a-f]{4}/)).output)
  }

  private static let program = """
    import asyncio, json, ssl, sys
    from aiosmtpd.smtp import SMTP, AuthResult
    port, encryption = int(sys.argv[1]), sys.argv[2]
    class Handler:
        async def handle_MAIL(self, server, session, envelope, address, options):
            if address.startswith("refused"):
                return "553 not your address"
            envelope.mail_from = address
            return "250 OK"
        async def handle_RCPT(self, server, session, envelope, address, options):
            if address.startswith("refused"):
                return "550 no such mailbox"
            if address.startswith("busy"):
                return "451 4.3.0 temporary lookup failure"
            envelope.rcpt_tos.append(address)
            return "250 OK"
        async def handle_DATA(self, server, session, envelope):
            if envelope.rcpt_tos[0].startswith("unread"):
                return "554 not wanted here"
            if envelope.rcpt_tos[0].startswith("full"):
                return "452 4.3.1 insufficient system storage"
            print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos[0],
                              "data": envelope.content.decode("ascii")}), flush=True)
            return "250 OK"
    class Server(SMTP):
        # Some servers refuse a message before it comes.
        async def smtp_DATA(self, argument):
            recipient = (self.envelope.rcpt_tos or [""])[0]
            if recipient.startswith("unwanted"):
                await self.push("554 5.7.1 no mail for this address")
            elif recipient.startswith("greylisted"):
                await self.push("451 4.7.1 come back later")
            else:
                await super().smtp_DATA(argument)
    class Refusing(Server):
        async def smtp_STARTTLS(self, argument):
            await self.push("454 TLS not available")
    def authenticate(server, session, envelope, mechanism, data):
        print(json.dumps({"user": data.login.decode()}), flush=True)
        return AuthResult(success=True)
    async def main():
        loop, context = asyncio.get_running_loop(), None
        if encryption != "none":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[3], sys.argv[4])
        make = Refusing if encryption == "refused" else Server
        offers = context if encryption in ("offered", "refused") else None
        server = await loop.create_server(
            lambda: make(Handler(), loop=loop, tls_context=offers, authenticator=authenticate, auth_require_tls=False),
            "127.0.0.1", port, ssl=context if encryption == "wrapped" else None)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()
    asyncio.run(main())
    """
}

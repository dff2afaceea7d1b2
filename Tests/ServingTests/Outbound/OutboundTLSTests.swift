import Faults
import JSON
import TestSupport
import Testing
import Values

@testable import Outbound

/// TLS with real servers, whose certificates are signed by an authority of the test's own.
@Suite("Calls to other servers by TLS", .blocking)
struct OutboundTLSTests {
  private static let authority = Result { try Certificate(for: "DNS:authority") }
  private static let stranger = Result { try Certificate(for: "DNS:stranger") }

  enum Way: CaseIterable { case https, smtps, startTLS }

  enum Flaw: CaseIterable {
    case untrusted, otherName, expired

    /// The words by which a fault names the flaw.
    var words: String {
      switch self {
      case .untrusted: "unable to get local issuer certificate"
      case .otherName: "no alternative certificate subject name matches target host name"
      case .expired: "certificate has expired"
      }
    }
  }

  private static func certificate(_ flaw: Flaw? = nil) throws -> Certificate {
    try Certificate(
      for: flaw == .otherName ? "DNS:elsewhere.example" : "DNS:localhost",
      by: (flaw == .untrusted ? stranger : authority).get(), days: flaw == .expired ? -1 : 1)
  }

  /// Calls a server once; returns the fault, if there is one, and how much the server has received.
  private static func call(_ way: Way, _ certificate: Certificate) throws -> (fault: String?, taken: Int) {
    switch way {
    case .https:
      let receiver = try SecureReceiver(certificate)
      let request = OutboundRequest(
        method: "POST", url: "https://localhost:\(receiver.port)/hook", body: Array("news".utf8), timeoutSeconds: 60)
      return try outcome(of: 1, { _ = try await $0.send(request) }) { receiver.received.count }
    case .smtps: return try mail("smtps", .wrapped(certificate))
    case .startTLS: return try mail("smtp", .offered(certificate))
    }
  }

  private static func mail(
    _ scheme: String, _ encryption: MailServer.Encryption, user: String = ""
  ) throws -> (fault: String?, taken: Int) {
    let server = try MailServer(encryption)
    let url = try #require(ServiceURL("\(scheme)://\(user)localhost:\(server.port)"))
    let mail = OutboundMail(
      server: url, sender: "garden@example.org", recipient: "ada@example.org", content: Array("A: b\r\n\r\nc\r\n".utf8),
      timeoutSeconds: 60)
    return try outcome(of: user.isEmpty ? 1 : 2, { try await $0.send(mail) }) {
      server.messages.count + server.users.count
    }
  }

  /// The fault of a call, if there is one, and how much the server has received; waits until that is `wanted` after a
  /// call that succeeded.
  private static func outcome(
    of wanted: Int, _ call: @escaping @Sendable (OutboundClient) async throws -> Void, taken: () -> Int
  ) throws -> (fault: String?, taken: Int) {
    let authorities = try authority.get().text
    let fault: String? = try onLoop { loop in
      do {
        try await call(OutboundClient(on: loop, authorities: authorities))
        return nil
      } catch let error as OutboundError {
        return error.description
      }
    }
    if fault == nil { _ = holds(within: 30) { taken() >= wanted } }
    return (fault, taken())
  }

  @Test("reach a server whose certificate a named authority has signed", arguments: Way.allCases)
  func trusted(_ way: Way) throws {
    #expect(try Self.call(way, Self.certificate()) == (nil, 1))
  }

  @Test(
    "send nothing to a server whose certificate is untrusted, for another name or expired, and say why",
    arguments: Way.allCases, Flaw.allCases)
  func refused(_ way: Way, _ flaw: Flaw) throws {
    let (fault, taken) = try Self.call(way, Self.certificate(flaw))
    #expect(fault?.contains(flaw.words) == true, "\(fault ?? "none")")
    #expect(taken == 0)
  }

  @Test(
    "send a mail server neither password nor mail if its offer of STARTTLS is missing or refused",
    arguments: ["", "ada:hush@"], [false, true])
  func stripped(_ user: String, _ isOffered: Bool) throws {
    let encryption = isOffered ? MailServer.Encryption.refused(try Self.certificate()) : .none
    let (fault, taken) = try Self.mail("smtp", encryption, user: user)
    #expect(fault?.hasPrefix("STARTTLS ") == true, "\(fault ?? "none")")
    #expect(taken == 0)
  }

  @Test("send a password and a mail to a server after STARTTLS")
  func password() throws {
    #expect(try Self.mail("smtp", .offered(Self.certificate()), user: "ada:hush@") == (nil, 2))
  }

  @Test("bring news to channels that OUTBOUND_CA covers, and tell the owners of others what is wrong")
  func channels() throws {
    let certificate = try Self.certificate()
    let (receiver, mail) = (try SecureReceiver(certificate), try MailServer(.offered(certificate)))
    let stranger = try SecureReceiver(Self.certificate(.untrusted))
    let server = try LiveServer([
      "OUTBOUND_CA": try Self.authority.get().text, "NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
      "SMTP_URL": "smtp://localhost:\(mail.port)", "SMTP_FROM": "garden@example.org",
    ])
    defer { server.stop() }
    let (client, id) = try server.signedIn()
    func delivery(_ kind: String, _ target: String) throws -> JSONValue? {
      let made = try client.post(
        "/api/channels", #"{"kind":"\#(kind)","target":"\#(target)","events":["order"]}"#)
      let path = try #require(made.header("location"), "\(made.text)")
      // The mail that asks to confirm the address goes by itself.
      if kind != "email" { #expect(try client.send("POST", "\(path)/test").status == 202) }
      var delivery: JSONValue?
      #expect(
        try holds(within: 60) {
          delivery = try client.get("\(path)/deliveries").json["items"]?.elements?.first
          return delivery?["attempts"]?.integer == 1
        })
      return delivery
    }
    #expect(try delivery("webhook", "https://localhost:\(receiver.port)/hook")?["status"]?.text == "delivered")
    #expect(holds(within: 30) { receiver.received.count == 1 })
    #expect(try delivery("email", "\(id)@example.org")?["status"]?.text == "delivered")
    #expect(holds(within: 30) { mail.messages.count == 1 })
    let refused = try #require(try delivery("webhook", "https://localhost:\(stranger.port)/hook"))
    #expect(refused["status"]?.text == "pending")
    #expect(refused["fault"]?.text?.contains(Flaw.untrusted.words) == true)
    #expect(stranger.received.isEmpty)
  }
}

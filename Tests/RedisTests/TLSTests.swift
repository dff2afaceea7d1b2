import Faults
import Glibc
import Reactor
import Redis
import TestSupport
import Testing

@Suite("Redis over TLS")
struct TLSTests {
  private let certificate: Certificate

  init() throws { certificate = try Certificate(for: "DNS:localhost,IP:127.0.0.1") }

  /// The configuration of a client that trusts the server's own certificate.
  private func configuration(_ server: PrivateServer, host: String = "localhost") throws -> RedisConfiguration {
    let password: String? = server.arguments.contains("--requirepass") ? "right" : nil
    var configuration = RedisConfiguration(
      address: RedisAddress(endpoint: .tcp(host: host, port: server.port), password: password, isEncrypted: true))
    configuration.trust = TLSTrust(pem: try certificate.text)
    configuration.commandDeadlineMilliseconds = 60_000
    configuration.connectDeadlineMilliseconds = 10_000
    return configuration
  }

  @Test(
    "carries commands, large values both ways and messages, by name and by address",
    arguments: ["localhost", "127.0.0.1"])
  func carries(host: String) throws {
    let server = try PrivateServer(["--requirepass", "right"], certificate: certificate)
    let configuration = try configuration(server, host: host)
    try withClient(configuration) { client, loop in
      let subscriber = RedisSubscriber(loop: loop, configuration: configuration)
      defer { subscriber.close() }
      var received: [[UInt8]] = []
      let subscription = try subscriber.subscribe("news") { received.append($0) }
      // More than a socket takes at once, and far more than a TLS record holds.
      let large = (0..<6_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try await client.set("large", large)
      #expect(try await client.get("large") == large)
      let replies = try await client.pipeline((0..<5_000).map { ["ECHO", .integer($0)] })
      #expect(replies == (0..<5_000).map { .string(Array(String($0).utf8)) })
      #expect(await waitUntil(loop) { subscriber.isListening })
      #expect(await subscriber.isConfirmed(subscription))
      try await client.publish("news", large)
      #expect(await waitUntil(loop) { received == [large] })
      #expect(client.counts.connections == 1)
    }
  }

  @Test("reconnects when the server returns")
  func heals() throws {
    let server = try PrivateServer(certificate: certificate)
    let configuration = try configuration(server)
    try withClient(configuration) { client, loop in
      let blocked = Pending<RedisError?>()
      loop.spawn { blocked.complete(.success(await failure { try await client.send("BLPOP", "none", 0) })) }
      #expect(await waitForBlockedClient(configuration, on: loop))
      server.kill()
      guard case .unavailable = try await blocked.value() else { throw TestFailure("BLPOP was answered") }
      try server.start()
      #expect(await waitUntil(loop) { client.isConnected })
      #expect(try await client.send("PING") == .status("PONG"))
    }
  }

  /// Why a client of `configuration` cannot connect; nil if it can.
  private static func refusal(_ configuration: RedisConfiguration) throws -> String? {
    try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: configuration)
      defer { client.close() }
      // A server that was just started may not listen yet.
      _ = await waitUntil(loop) {
        client.isConnected || client.lastFailure != nil && client.lastFailure != "Connection refused"
      }
      return client.isConnected ? nil : client.lastFailure
    }
  }

  @Test("refuses a server whose certificate is not trusted")
  func stranger() throws {
    let server = try PrivateServer(certificate: certificate)
    var configuration = try configuration(server)
    for trust in [nil, TLSTrust(pem: try Certificate(for: "DNS:localhost").text)] {
      configuration.trust = trust
      #expect(try Self.refusal(configuration)?.hasPrefix("TLS: the certificate is not trusted: ") == true)
    }
  }

  @Test("refuses a server whose certificate is for another name", arguments: ["DNS:redis.example.org", "IP:127.0.0.2"])
  func otherName(name: String) throws {
    let certificate = try Certificate(for: name)
    let server = try PrivateServer(certificate: certificate)
    for (host, complaint) in [("localhost", "hostname mismatch"), ("127.0.0.1", "IP address mismatch")] {
      var configuration = try configuration(server, host: host)
      configuration.trust = TLSTrust(pem: try certificate.text)
      #expect(try Self.refusal(configuration) == "TLS: the certificate is not trusted: \(complaint)")
    }
  }

  @Test("fails with a plain server, as a plain client fails with a server that requires TLS")
  func mismatch() throws {
    let plain = try PrivateServer()
    var configuration = try configuration(plain)
    // The plain server may wait for the end of a line.
    configuration.connectDeadlineMilliseconds = 1_000
    let ofPlain = try Self.refusal(configuration)
    #expect(ofPlain != nil && ofPlain != "Connection refused")
    let secure = try PrivateServer(certificate: certificate)
    let ofSecure = try Self.refusal(RedisConfiguration(address: secure.address))
    #expect(ofSecure != nil && ofSecure != "Connection refused")
  }

  @Test("does not block the loop while the server is silent during the handshake")
  func silent() throws {
    let server = try PrivateServer(certificate: certificate)
    var configuration = try configuration(server)
    configuration.connectDeadlineMilliseconds = 1_000
    _ = try Self.refusal(configuration)
    server.freeze()
    let impatient = configuration
    let (reason, turns) = try onLoop { loop in
      let client = RedisClient(loop: loop, configuration: impatient)
      defer { client.close() }
      var turns = 0
      let failed = await waitUntil(loop) {
        turns += 1
        return client.lastFailure != nil
      }
      return (failed ? client.lastFailure ?? "" : "", turns)
    }
    #expect(reason == "no answer within 1000 ms of connecting")
    // A blocked loop looks before and after; a free one looks every few milliseconds, even on a busy machine.
    #expect(turns > 10, "\(turns) turns")
    server.thaw()
  }

  @Test("trusts every certificate of a PEM text, and refuses a text that is empty or malformed")
  func trust() throws {
    let text = try certificate.text
    #expect(TLSTrust(pem: text + text)?.count == 2)
    #expect(TLSTrust(pem: "") == nil && TLSTrust(pem: "nonsense") == nil)
    #expect(TLSTrust(pem: text + text.replacing("MII", with: "MIX")) == nil)
  }
}

import Faults
import Reactor
import Redis
import Testing

@Suite("A Redis subscriber")
struct RedisSubscriberTests {
  @Test("passes each receiver the messages of its channel, in order, until it is unsubscribed")
  func messages() throws {
    let (one, other) = (freshKey("one"), freshKey("other"))
    try withSubscriber { subscriber, client, loop in
      var received: [String] = []
      func receiver(_ name: String) -> ([UInt8]) -> Void {
        { received.append("\(name) \(String(decoding: $0, as: UTF8.self))") }
      }
      let first = try subscriber.subscribe(one, receiver("first"))
      let second = try subscriber.subscribe(one, receiver("second"))
      let third = try subscriber.subscribe(other, receiver("third"))
      #expect(await subscriber.isConfirmed(second))
      #expect(await subscriber.isConfirmed(third))
      #expect(try await client.publish(one, Array("a".utf8)) == 1)
      try await client.publish(other, Array("b".utf8))
      #expect(await waitUntil(loop) { received.count == 3 })
      subscriber.unsubscribe(first)
      try await client.publish(one, Array("c".utf8))
      #expect(await waitUntil(loop) { received.count == 4 })
      subscriber.unsubscribe(second)
      subscriber.unsubscribe(second)
      #expect(await subscriber.isConfirmed(second) == false)
      #expect(await waitForSubscribers(0, of: one, client, loop))
      #expect(received == ["first a", "second a", "third b", "second c"])
      subscriber.unsubscribe(third)
    }
  }

  @Test("confirms a channel that was unsubscribed and subscribed again only by the last confirmation")
  func again() throws {
    let channel = freshKey("again")
    try withSubscriber { subscriber, client, loop in
      var received = 0
      for _ in 0..<20 { subscriber.unsubscribe(try subscriber.subscribe(channel) { _ in received -= 100 }) }
      let last = try subscriber.subscribe(channel) { _ in received += 1 }
      #expect(await subscriber.isConfirmed(last))
      #expect(try await client.publish(channel, [1]) == 1)
      #expect(await waitUntil(loop) { received != 0 })
      #expect(received == 1)
    }
  }

  @Test("carries thousands of channels and refuses one too many")
  func manyChannels() throws {
    var configuration = RedisConfiguration(address: try testAddress())
    configuration.maximumChannels = 2_000
    let prefix = freshKey("many")
    try withSubscriber(configuration) { subscriber, client, loop in
      var sum = 0
      for number in 0..<2_000 { _ = try subscriber.subscribe("\(prefix):\(number)") { _ in sum += number } }
      #expect(throws: RedisError.overloaded) { try subscriber.subscribe(prefix) { _ in } }
      let again = try subscriber.subscribe("\(prefix):1999") { _ in }
      #expect(await subscriber.isConfirmed(again))
      _ = try await client.pipeline((0..<2_000).map { ["PUBLISH", .text("\(prefix):\($0)"), "x"] })
      #expect(await waitUntil(loop) { sum == 1_999 * 1_000 })
    }
  }

  @Test("lets a receiver subscribe, unsubscribe and close while it is called")
  func reentrance() throws {
    let channel = freshKey("reentrance")
    try withSubscriber { subscriber, client, loop in
      var calls = 0
      var first: RedisSubscription?
      first = try subscriber.subscribe(channel) { _ in
        calls += 1
        subscriber.unsubscribe(first!)
        _ = try? subscriber.subscribe(channel) { _ in
          calls += 10
          subscriber.close()
        }
      }
      #expect(await subscriber.isConfirmed(first!))
      try await client.publish(channel, [])
      #expect(await waitForSubscribers(1, of: channel, client, loop))
      #expect(await waitUntil(loop) { calls == 1 })
      try await client.publish(channel, [])
      #expect(await waitUntil(loop) { calls == 11 })
      #expect(await waitForSubscribers(0, of: channel, client, loop))
    }
  }

  @Test("subscribes again after a lost connection, and reports the gap when it begins and when it ends")
  func resubscribes() throws {
    let server = try PrivateServer()
    try withSubscriber(RedisConfiguration(address: server.address)) { subscriber, client, loop in
      var events: [String] = []
      subscriber.onGap = { events.append("gap") }
      subscriber.onStateChange = { events.append("listening \($0)") }
      let subscription = try subscriber.subscribe("news") { events.append(String(decoding: $0, as: UTF8.self)) }
      #expect(await subscriber.isConfirmed(subscription))
      server.kill()
      #expect(await waitUntil(loop) { !subscriber.isListening })
      #expect(await subscriber.isConfirmed(subscription) == false)
      try server.start()
      #expect(await waitUntil(loop) { subscriber.isListening && client.isConnected })
      try await client.publish("news", Array("hello".utf8))
      #expect(await waitUntil(loop) { events.last == "hello" })
      #expect(events == ["gap", "listening false", "gap", "listening true", "hello"])
    }
  }

  @Test("notices by itself that a server is frozen")
  func frozen() throws {
    let server = try PrivateServer()
    try withSubscriber(RedisConfiguration(address: server.address)) { subscriber, _, loop in
      var gaps = 0
      subscriber.onGap = { gaps += 1 }
      // Long enough for the first probe: a server that has answered must not be given up.
      await loop.sleep(nanoseconds: 1_200_000_000)
      #expect(gaps == 0)
      server.freeze()
      #expect(await waitUntil(loop) { gaps == 1 })
      server.thaw()
      #expect(await waitUntil(loop) { subscriber.isListening })
      #expect(gaps == 2)
    }
  }

  /// Notes the changes of keys that begin with `seen:` or `also`.
  private final class Changes {
    var texts: [String] = []

    func track(_ subscriber: RedisSubscriber) {
      subscriber.track(prefixes: ["seen:", "also"]) { [self] change in
        switch change {
        case .key(let key): texts.append(String(decoding: key, as: UTF8.self))
        case .any: texts.append("any")
        }
      }
    }
  }

  @Test("reports every change of tracked keys, by clients or expiry, no other, and when it may have missed one")
  func tracking() throws {
    let server = try PrivateServer()
    try withClient(RedisConfiguration(address: server.address)) { client, loop in
      let changes = Changes()
      let subscriber = RedisSubscriber(loop: loop, configuration: RedisConfiguration(address: server.address))
      defer { subscriber.close() }
      changes.track(subscriber)
      #expect(subscriber.heardUntil == 0)
      #expect(await waitUntil(loop) { subscriber.heardUntil > 0 })
      var expected: [String] = []
      func tells(_ more: [String]) async -> Bool {
        expected += more
        return await waitUntil(loop) { changes.texts.count >= expected.count }
          && changes.texts == expected
      }
      _ = try await client.set("unseen", [1])
      _ = try await client.set("seen:1", [1])
      #expect(await tells(["seen:1"]))
      try await client.delete("seen:1")
      #expect(await tells(["seen:1"]))
      _ = try await client.set("also", [1], expiry: .milliseconds(1))
      #expect(await tells(["also", "also"]))
      try await client.send("FLUSHALL")
      #expect(await tells(["any"]))
      server.kill()
      #expect(await tells(["any"]))
      #expect(subscriber.heardUntil == 0)
      let lostAt = Clock.monotonic()
      try server.start()
      #expect(await waitUntil(loop) { subscriber.heardUntil > lostAt && client.isConnected })
      _ = try await client.set("seen:2", [2])
      #expect(await tells(["seen:2"]))
    }
  }

  @Test("adds and removes receivers while tracking is being turned on, all on one connection")
  func comersWhileTrackingBegins() throws {
    let server = try PrivateServer()
    try withClient(RedisConfiguration(address: server.address)) { client, loop in
      let proxy = Proxy(to: server.port)
      defer { proxy.become(.stop) }
      // Receivers come and go between any two of the answers with which a connection begins.
      proxy.delayAnswers(milliseconds: 50)
      let address = RedisAddress(endpoint: .tcp(host: "127.0.0.1", port: proxy.port))
      var configuration = RedisConfiguration(address: address)
      configuration.probeIntervalMilliseconds = 10_000
      let (changes, subscriber) = (Changes(), RedisSubscriber(loop: loop, configuration: configuration))
      defer { subscriber.close() }
      changes.track(subscriber)
      var (states, received) = ([Bool](), 0)
      subscriber.onStateChange = { states.append($0) }
      var subscriptions: [RedisSubscription] = []
      for number in 0..<60 {
        subscriptions.append(try subscriber.subscribe("news:\(number)") { _ in received += 1 })
        subscriber.unsubscribe(try subscriber.subscribe("gone:\(number)") { _ in })
        await loop.sleep(nanoseconds: 5_000_000)
      }
      #expect(await waitUntil(loop) { subscriber.isListening && subscriber.heardUntil > 0 })
      for subscription in subscriptions { #expect(await subscriber.isConfirmed(subscription)) }
      _ = try await client.pipeline((0..<60).map { ["PUBLISH", .text("news:\($0)"), "x"] })
      #expect(await waitUntil(loop) { received == 60 })
      #expect(states == [true])
    }
  }

  @Test("works without tracking where Redis forbids it, and never claims to have heard of changes")
  func forbiddenTracking() throws {
    let server = try PrivateServer()
    try withClient(RedisConfiguration(address: server.address)) { client, loop in
      try await client.send(
        ["ACL", "SETUSER", "limited", "on", ">secret", "~*", "resetchannels", "&terroir:*", "&news", "+@all"])
      let address = RedisAddress(endpoint: server.address.endpoint, user: "limited", password: "secret")
      let (changes, subscriber) = (
        Changes(), RedisSubscriber(loop: loop, configuration: RedisConfiguration(address: address))
      )
      defer { subscriber.close() }
      changes.track(subscriber)
      var received = 0
      let subscription = try subscriber.subscribe("news") { _ in received += 1 }
      #expect(await waitUntil(loop) { subscriber.isListening })
      #expect(await subscriber.isConfirmed(subscription))
      try await client.publish("news", [1])
      #expect(await waitUntil(loop) { received == 1 })
      #expect(subscriber.heardUntil == 0)
    }
  }

  @Test("reports once that Redis forbids it to subscribe, and listens and tracks keys when it may")
  func forbidden() throws {
    let server = try PrivateServer()
    try withClient(RedisConfiguration(address: server.address)) { client, loop in
      let user: [RedisArgument] = ["ACL", "SETUSER", "limited"]
      try await client.send(user + ["off", ">secret", "~*", "&*", "+@all", "-subscribe"])
      let address = RedisAddress(endpoint: server.address.endpoint, user: "limited", password: "secret")
      let (changes, subscriber) = (
        Changes(), RedisSubscriber(loop: loop, configuration: RedisConfiguration(address: address))
      )
      defer { subscriber.close() }
      changes.track(subscriber)
      var (reasons, losses) = ([String](), 0)
      subscriber.onRefusal = { reasons.append($0) }
      subscriber.onStateChange = { if !$0 { losses += 1 } }
      // A refusal to sign in, which any client may get, is not a refusal to subscribe.
      #expect(await waitUntil(loop) { subscriber.lastFailure?.hasPrefix("refused: WRONGPASS ") == true })
      #expect(reasons == [])
      try await client.send(user + ["on"])
      #expect(await waitUntil(loop) { losses > 5 })
      #expect(reasons.count == 1 && reasons.first?.hasPrefix("NOPERM ") == true)
      try await client.send(user + ["+subscribe"])
      #expect(await waitUntil(loop) { subscriber.isListening })
      #expect(subscriber.lastFailure == nil)
      #expect(await waitUntil(loop) { subscriber.heardUntil > 0 })
    }
  }

  @Test("does not report a lost connection, or a Redis that is away, as a refusal to subscribe")
  func lost() throws {
    let server = try PrivateServer()
    try withClient(RedisConfiguration(address: server.address)) { client, loop in
      let subscriber = RedisSubscriber(loop: loop, configuration: RedisConfiguration(address: server.address))
      defer { subscriber.close() }
      var (reasons, losses) = ([String](), 0)
      subscriber.onRefusal = { reasons.append($0) }
      subscriber.onStateChange = { if !$0 { losses += 1 } }
      #expect(await waitUntil(loop) { subscriber.isListening })
      try await client.send("CLIENT", "KILL", "TYPE", "pubsub")
      #expect(await waitUntil(loop) { losses == 1 && subscriber.isListening })
      server.kill()
      #expect(await waitUntil(loop) { subscriber.lastFailure == "Connection refused" })
      try server.start()
      #expect(await waitUntil(loop) { losses == 2 && subscriber.isListening })
      #expect(reasons == [])
    }
  }

  /// Runs `body` with a subscriber that listens and a client that is connected.
  private func withSubscriber(
    _ configuration: RedisConfiguration? = nil,
    _ body: @escaping @Sendable (RedisSubscriber, RedisClient, EventLoop) async throws -> Void
  ) throws {
    let configuration = try configuration ?? RedisConfiguration(address: testAddress())
    try withClient(configuration) { client, loop in
      let subscriber = RedisSubscriber(loop: loop, configuration: configuration)
      defer { subscriber.close() }
      guard await waitUntil(loop, { subscriber.isListening }) else {
        throw TestFailure(subscriber.lastFailure ?? "not listening")
      }
      try await body(subscriber, client, loop)
    }
  }

  private func waitForSubscribers(
    _ count: Int64, of channel: String, _ client: RedisClient, _ loop: EventLoop
  ) async -> Bool {
    for _ in 0..<4_000 {
      let reply = try? await client.send("PUBSUB", "NUMSUB", .text(channel))
      if reply?.array?.last?.integer == count { return true }
      await loop.sleep(nanoseconds: 5_000_000)
    }
    return false
  }
}

import Glibc
import Reactor
import Redis
import TestSupport
import Testing

@Suite("A Redis client")
struct RedisClientTests {
  @Test("returns every kind of reply")
  func replies() throws {
    let key = freshKey("replies")
    let replies = try withClient { client, _ in
      var replies = [
        try await client.send("PING"),
        try await client.send("GET", .text(key)),
        try await client.send("SET", .text(key), 41),
        try await client.send("INCR", .text(key)),
        try await client.send("GET", .text(key)),
        try await client.send("ECHO", .bytes([])),
        try await client.send("LRANGE", "\(key):none", 0, -1),
        try await client.send("EVAL", "return {1, 'two', {3, false, {err = 'ERR inner'}}, {ok = 'FINE'}}", 0),
      ]
      replies.append(try await client.send("DEL", .text(key)))
      return replies
    }
    #expect(
      replies == [
        .status("PONG"), .null, .status("OK"), .integer(42), .string(Array("42".utf8)), .string([]), .array([]),
        .array([
          .integer(1), .string(Array("two".utf8)), .array([.integer(3), .null, .error("ERR inner")]), .status("FINE"),
        ]),
        .integer(1),
      ])
    #expect(replies[4].integer == 42)
    #expect(replies[0].text == "PONG")
  }

  @Test("reads replies that are longer than its buffer, and short ones after them")
  func longReplies() throws {
    let key = freshKey("long")
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
    try withClient { client, _ in
      try await client.set(key, long)
      let script: RedisArgument = "local t = {} for i = 1, 9000 do t[i] = {i, 'v' .. i} end return t"
      for _ in 0..<3 {
        #expect(try await client.get(key) == long)
        let rows = try await client.send("EVAL", script, 0).array ?? []
        #expect(rows.count == 9_000)
        #expect(rows.last == .array([.integer(9_000), .string(Array("v9000".utf8))]))
        #expect(try await client.send("PING") == .status("PONG"))
      }
      try await client.delete(key)
    }
  }

  @Test("delivers in one turn all replies that have arrived, even if they take more than one read")
  func manyReplies() throws {
    let key = freshKey("many")
    try withClient { client, loop in
      try await client.set(key, [UInt8](repeating: UInt8(ascii: "x"), count: 8_000))
      var turns: [UInt64] = []
      await withUnsafeContinuation { continuation in
        for _ in 0..<6 {
          client.values {
            $0.append(key)
          } _: { _ in
            turns.append(loop.now)
            if turns.count == 6 { continuation.resume() }
          }
        }
        // Lengthens the turn once the client has sent its commands at the turn's end.
        loop.atEndOfTurn(LongTurn())
      }
      #expect(Set(turns).count == 1)
      try await client.delete(key)
    }
  }

  /// Blocks a loop for 200 ms, until Redis has answered.
  private final class LongTurn: TurnEnd {
    func flush() { usleep(200_000) }
  }

  @Test("passes the values of keys to a callback, or the reason why it cannot")
  func values() throws {
    let key = freshKey("values")
    try withClient { client, loop in
      try await client.set(key, Array("kept".utf8))
      func ask() async -> Result<[String?], RedisError> {
        await withUnsafeContinuation { continuation in
          client.values {
            $0.append(key)
            $0.append(Array("\(key):".utf8), Array("none".utf8))
          } _: { values in
            continuation.resume(
              returning: values.map { values in
                (0..<values.count).map { index in values[index].map { String(decoding: $0, as: UTF8.self) } }
              })
          }
        }
      }
      #expect(await ask() == .success(["kept", nil]))
      try await client.delete(key)
      client.close()
      guard case .failure(.unavailable) = await ask() else { throw TestFailure("values of a closed client") }
    }
  }

  @Test("throws the errors that Redis answers, and stays usable")
  func serverErrors() throws {
    let key = freshKey("errors")
    try withClient { client, _ in
      try await client.send("RPUSH", .text(key), "x")
      let error = await failure { try await client.get(key) }
      #expect(error == .server("WRONGTYPE Operation against a key holding the wrong kind of value"))
      let unknown = await failure { try await client.send("NOSUCHCOMMAND") }
      guard case .server(let message) = unknown else { throw TestFailure("\(String(describing: unknown))") }
      #expect(message.hasPrefix("ERR unknown command"))
      #expect(try await client.delete(key) == 1)
    }
  }

  @Test("keeps the bytes of keys and values as they are")
  func binary() throws {
    let key = freshKey("binary\r\n$0\r\né")
    let value = (0..<1_024).map { UInt8(truncatingIfNeeded: $0) } + Array("\r\n*1\r\n".utf8)
    try withClient { client, _ in
      try await client.set(key, value)
      #expect(try await client.get(key) == value)
      try await client.delete(key)
    }
  }

  @Test("carries values of many megabytes both ways", arguments: [16_383, 16_384, 1_000_000, 20_000_000])
  func bigValues(size: Int) throws {
    let key = freshKey("big")
    try withClient { client, _ in
      var value = [UInt8](repeating: 0xA5, count: size)
      for position in stride(from: 0, to: size, by: 997) { value[position] = UInt8(truncatingIfNeeded: position) }
      try await client.set(key, value, expiry: .seconds(30))
      #expect(try await client.get(key) == value)
      try await client.delete(key)
    }
  }

  @Test("answers ten thousand commands of a hundred tasks, each with its own reply, in order")
  func manyTasks() throws {
    let wrong = try withClient { client, loop in
      var wrong = 0
      var running = 100
      let done = Pending<Void>()
      for task in 0..<100 {
        loop.spawn {
          for number in 0..<100 {
            let text = Array("\(task)/\(number)".utf8)
            let reply = try? await client.send("ECHO", .bytes(text))
            if reply != .string(text) { wrong += 1 }
          }
          running -= 1
          if running == 0 { done.complete(.success(())) }
        }
      }
      try await done.value()
      #expect(client.inFlight == 0)
      #expect(client.counts.commands >= 10_000)
      return wrong
    }
    #expect(wrong == 0)
  }

  @Test("answers ten thousand commands sent at once")
  func oneTurn() throws {
    try withClient { client, _ in
      let commands: [[RedisArgument]] = (0..<10_000).map { ["ECHO", .integer($0)] }
      let replies = try await client.pipeline(commands)
      #expect(replies.map(\.integer) == (0..<10_000).map(Int64.init))
    }
  }

  @Test("returns the replies of a pipeline in order, errors among them")
  func pipeline() throws {
    let key = freshKey("pipeline")
    try withClient { client, _ in
      let replies = try await client.pipeline([
        ["MULTI"], ["SET", .text(key), "x"], ["INCR", .text(key)], ["EXEC"], ["DEL", .text(key)],
      ])
      let notANumber = RedisReply.error("ERR value is not an integer or out of range")
      #expect(
        replies == [
          .status("OK"), .status("QUEUED"), .status("QUEUED"), .array([.status("OK"), notANumber]), .integer(1),
        ])
      #expect(try await client.pipeline([]) == [])
    }
  }

  @Test("has the usual commands")
  func commands() throws {
    let key = freshKey("commands")
    try withClient { client, _ in
      #expect(try await client.get(key) == nil)
      #expect(try await client.set(key, [1], expiry: .milliseconds(60_000), onlyIfAbsent: true))
      #expect(try await client.set(key, [2], onlyIfAbsent: true) == false)
      let values = try await client.values { keys in
        keys.append(key)
        keys.append(Array(key.utf8), Array(":none".utf8))
      }
      #expect(values == [.string([1]), .null])
      #expect(try await client.set(key, [3], expiry: .seconds(5)))
      let left = try await client.send("PTTL", .text(key)).integer ?? 0
      #expect((4_000...5_000).contains(left))
      #expect(try await client.delete(key, key + ":none") == 1)
    }
  }

  @Test("runs a script by its digest and sends the text when Redis does not know it")
  func scripts() throws {
    let script = RedisScript("return {KEYS[1], ARGV[1]} -- \(UInt64.random(in: .min ... .max))")
    try withClient { client, _ in
      let before = client.counts
      for _ in 0..<2 {
        let reply = try await client.evaluate(script, keys: ["key"], [7])
        #expect(reply == .array([.string(Array("key".utf8)), .string(Array("7".utf8))]))
      }
      // EVALSHA, EVAL; then EVALSHA alone.
      #expect(client.counts.commands - before.commands == 3)
      let broken = await failure { try await client.evaluate(RedisScript("return nosuch")) }
      guard case .server = broken else { throw TestFailure("\(String(describing: broken))") }
    }
    #expect(RedisScript("return 1").digest == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
  }

  @Test("refuses what goes beyond the bound on commands and bytes in flight, and recovers")
  func bounds() throws {
    var configuration = try patientConfiguration()
    configuration.maximumInFlight = 10
    configuration.maximumInFlightBytes = 1_000
    try withClient(configuration) { client, loop in
      var outcomes: [RedisError?] = []
      let done = Pending<Void>()
      for _ in 0..<12 {
        loop.spawn {
          outcomes.append(await failure { try await client.send("PING") })
          if outcomes.count == 12 { done.complete(.success(())) }
        }
      }
      try await done.value()
      #expect(outcomes.count { $0 == nil } == 10)
      #expect(outcomes.count { $0 == .overloaded } == 2)
      #expect(await failure { try await client.pipeline(Array(repeating: ["PING"], count: 11)) } == .overloaded)
      #expect(await failure { try await client.send("ECHO", .bytes(Array(repeating: 0, count: 1_000))) } == .overloaded)
      let half: [RedisArgument] = ["ECHO", .bytes(Array(repeating: 0, count: 600))]
      #expect(await failure { try await client.pipeline([half, half]) } == .overloaded)
      #expect(client.inFlight == 0)
      #expect(try await client.send("PING") == .status("PONG"))
      #expect(client.counts.overflows == 16)
    }
  }

  @Test("tells an observer the name, duration and error of each command")
  func observer() throws {
    let configuration = try patientConfiguration()
    try onLoop { loop in
      let observer = Notes()
      let client = RedisClient(loop: loop, configuration: configuration, observer: observer)
      defer { client.close() }
      #expect(await client.waitUntilConnected(milliseconds: 60_000))
      _ = try await client.send("PING")
      _ = await failure { try await client.send("EVAL", "return redis.error_reply('ERR no')", 0) }
      #expect(observer.lines == ["PING", "EVAL server(\"ERR no\")"])
      #expect(observer.longest < 60_000_000_000)
    }
  }
}

private final class Notes: RedisObserver {
  var lines: [String] = []
  var longest: UInt64 = 0

  func finished(command: String, durationNanoseconds: UInt64, error: RedisError?) {
    lines.append(error.map { "\(command) \($0)" } ?? command)
    longest = max(longest, durationNanoseconds)
  }
}

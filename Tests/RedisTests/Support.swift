import Glibc
import Reactor
import Redis
import TestSupport
import Testing

/// The address of the Redis that the tests may use, from REDIS_URL.
func testAddress() throws -> RedisAddress {
  let url = try #require(
    getenv("REDIS_URL").map { String(cString: $0) },
    "REDIS_URL is not set: it must name a Redis that these tests may fill and stop, such as redis://127.0.0.1:6379/15")
  return try RedisAddress(url: url)
}

/// Runs `body` with a connected client, which is closed afterwards; a patient one if there is no `configuration`.
func withClient<Value: Sendable>(
  _ configuration: RedisConfiguration? = nil,
  _ body: @escaping @Sendable (RedisClient, EventLoop) async throws -> Value
) throws -> Value {
  let configuration = try configuration ?? patientConfiguration()
  return try onLoop { loop in
    let client = RedisClient(loop: loop, configuration: configuration)
    defer { client.close() }
    guard await client.waitUntilConnected(milliseconds: 60_000) else {
      throw TestFailure("no connection to \(configuration.address): \(client.lastFailure ?? "no reason")")
    }
    return try await body(client, loop)
  }
}

/// The configuration of a client that waits long for answers, so that a test does not fail on a busy machine.
func patientConfiguration() throws -> RedisConfiguration {
  var configuration = RedisConfiguration(address: try testAddress())
  configuration.commandDeadlineMilliseconds = 60_000
  return configuration
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The Redis error that `body` throws; nil if it throws none.
func failure(_ body: () async throws -> some Any) async -> RedisError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? RedisError
  }
}

/// Waits on the loop until `isSo`; returns false if that takes longer than `milliseconds`.
func waitUntil(_ loop: EventLoop, milliseconds: UInt64 = 60_000, _ isSo: () -> Bool) async -> Bool {
  let end = Clock.monotonic() + milliseconds * 1_000_000
  while !isSo() {
    if Clock.monotonic() > end { return false }
    await loop.sleep(nanoseconds: 2_000_000)
  }
  return true
}

/// Waits until the server has one blocked client, as by BLPOP; returns false if it has none for 20 seconds.
func waitForBlockedClient(_ configuration: RedisConfiguration, on loop: EventLoop) async -> Bool {
  let other = RedisClient(loop: loop, configuration: configuration)
  defer { other.close() }
  guard await other.waitUntilConnected(milliseconds: 60_000) else { return false }
  for _ in 0..<4_000 {
    let answer = try? await other.send("INFO", "clients")
    if answer?.text?.contains("blocked_clients:1") == true { return true }
    await loop.sleep(nanoseconds: 5_000_000)
  }
  return false
}

/// A key that no other test uses.
func freshKey(_ name: String) -> String { "test:\(name):\(UInt64.random(in: .min ... .max))" }

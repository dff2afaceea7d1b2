import Glibc
import JSON
import Postgres
import Reactor
import Testing
import Values

@testable import Secrets

/// A garden with a device, made by SQL, and what tests ask of them.
struct TestDevice: @unchecked Sendable {
  let server: LiveServer
  /// The garden's owner, signed in.
  let owner: Client
  let garden = TestDevice.newIdentifier()
  let id = TestDevice.newIdentifier()
  let key = OpaqueKey.make(.deviceKey)

  init(_ server: LiveServer) throws {
    self.server = server
    let ownerID: Identifier
    (owner, ownerID) = try server.signedIn()
    let (garden, id, key) = (garden, id, key)
    try server.withDatabase { database in
      _ = try await database.execute(
        """
        WITH garden AS (
          INSERT INTO gardens (id, owner_id, name, created_at, updated_at)
          VALUES (\(garden), \(ownerID), 'Test', now(), now())
        )
        INSERT INTO devices (id, garden_id, name, key_hash, created_at, updated_at)
        VALUES (\(id), \(garden), 'Test', \(key.digest), now(), now())
        """)
    }
  }

  static func newIdentifier() -> Identifier { Identifier.make(unixMilliseconds: Clock.unixMilliseconds()) }

  var path: String { "/api/devices/\(id)/readings" }

  /// A new client with the device's key.
  var client: Client { Client(server, token: key.text) }

  /// Posts `samples` in one request.
  func post(_ client: Client, _ samples: [Sample]) throws -> Reply {
    try client.post(path, Sample.document(samples))
  }

  /// The number of the raw readings that are stored, and their sum.
  func stored() throws -> (count: Int, sum: Double) {
    let id = id
    return try server.withDatabase { database in
      let rows = try await database.query(
        "SELECT count(*), coalesce(sum(value), 0) FROM all_readings WHERE device_id = \(id)")
      return try rows[0].decode((Int.self, Double.self))
    }
  }
}

/// A reading as a test sends it.
struct Sample {
  var type = "soil_moisture"
  var value: Double
  var at: Timestamp

  var json: String { #"{"sensorType":"\#(type)","value":\#(value),"measuredAt":"\#(at)"}"# }

  static func document(_ samples: [Sample]) -> String {
    #"{"readings":[\#(samples.map(\.json).joined(separator: ","))]}"#
  }

  /// `count` readings of one type, a second apart, the last one about a minute ago.
  static func series(_ count: Int, type: String = "soil_moisture") -> [Sample] {
    let end = Clock.unixMilliseconds() - 60_000
    return (0..<count).map { index in
      let at = Timestamp(unixMilliseconds: end - Int64(count - index) * 1_000)
      return Sample(type: type, value: Double(index % 100), at: at)
    }
  }
}

extension Reply {
  /// The numbers of accepted and of duplicate readings in a receipt.
  var receipt: [Int64?] { get throws { try [json["accepted"]?.integer, json["duplicates"]?.integer] } }

  /// The rejected readings: index and reason.
  var rejected: [String] {
    get throws {
      try (json["rejected"]?.elements ?? []).map { "\($0["index"]?.integer ?? -1) \($0["reason"]?.text ?? "")" }
    }
  }

  /// The members called `name` of the rejected readings.
  func rejections(_ name: String) throws -> [String] {
    try (json["rejected"]?.elements ?? []).compactMap { $0[name]?.text }
  }
}

/// Calls `body` on `count` threads at once and waits for all of them.
func concurrently(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
  let threads = try (0..<count).map { index in try SystemThread(name: "client-\(index)") { body(index) } }
  for thread in threads { thread.join() }
}

/// Waits until `condition` holds; returns false if it does not within `seconds`, by default enough on a busy machine.
func holds(within seconds: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<Int(seconds * 20) {
    if try condition() { return true }
    usleep(50_000)
  }
  return try condition()
}

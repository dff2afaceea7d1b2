import Glibc
import Postgres
import Testing
import Values

@Suite("Long exports and imports", .blocking)
struct TransferMemoryTests {
  /// The numbers of lines: many short ones and some long ones, together several times the allowance.
  private static let (readings, insights) = (60_000, 6_000)
  private static let textCharacters = 10_000
  /// How much more memory the server may use than before, in bytes.
  private static let allowance = 20 << 20

  @Test(
    "take no more memory than short ones",
    .enabled(if: getenv("SANITIZER") == nil, "a sanitizer has memory of its own"), .timeLimit(.minutes(20)))
  func memory() throws {
    let people = try LiveServer.shared.get()
    let process = try ServerProcess(["serve"], ["DATABASE_URL": people.databaseURL])
    let port = try process.port()
    let (owner, id) = try people.signedIn()
    let (other, _) = try people.signedIn()
    let plot = try Plot(people, owner: id)
    let (garden, device) = (plot.garden, plot.device)
    try people.withDatabase { database in
      try await database.transaction(timeoutMilliseconds: 120_000) { transaction in
        try await transaction.execute(
          """
          INSERT INTO readings_late (device_id, sensor_type, measured_at, value)
          SELECT \(device), 'soil_moisture', now() - i * interval '10 s', i % 100 FROM generate_series(1, \(Self.readings)) i
          """)
        try await transaction.execute(
          """
          INSERT INTO insights (id, garden_id, type, provider, severity, title, text, evidence, created_at)
          SELECT gen_random_uuid(), \(garden), 'summary', 'rules', 'info', 'A week',
            repeat('x', \(Self.textCharacters)::int), '{}', now() FROM generate_series(1, \(Self.insights))
          """)
      }
    }
    // Transfers a little first, so that what the connections need in any case is allocated.
    let small = try transfer(port, owner.token!, other.token!, dryRun: true, limit: 2_000)
    #expect(small == 2_000)
    let before = Self.resident(process.process)
    let lines = try transfer(port, owner.token!, other.token!, dryRun: true, limit: .max)
    #expect(lines >= Self.readings + Self.insights)
    let rise = Self.resident(process.process) - before
    #expect(rise < Self.allowance, "rose by \(rise >> 20) MiB")
  }

  /// Pipes lines of an export into an import as they come; returns how many.
  private func transfer(_ port: UInt16, _ from: String, _ to: String, dryRun: Bool, limit: Int) throws -> Int {
    let source = try export(port, from)
    // With a small buffer, since reading what the kernel holds after the last line must not outlast the wait for the
    // answer.
    let target = try Wire(port: port, sendBytes: 65_536)
    try target.send(
      """
      POST /api/users/me/import?dryRun=\(dryRun) HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \(to)\r
      Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n
      """)
    var lines = 0
    while lines < limit, let chunk = try source.takeChunk() {
      lines += chunk.count { $0 == UInt8(ascii: "\n") }
      if lines > limit { break }
      try target.send(Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8))
    }
    try target.send("0\r\n\r\n")
    let reply = try target.receive()
    #expect(reply.status == 200, "\(reply.text)")
    return min(lines, limit)
  }

  /// Begins an export and reads its head; asks again until the server has freed the place of one that was broken off.
  private func export(_ port: UInt16, _ token: String) throws -> Wire {
    for _ in 0..<3_000 {
      let wire = try Wire(port: port)
      try wire.send("GET /api/users/me/export HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer \(token)\r\n\r\n")
      let head = String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self)
      if !head.contains(" 503 "), !head.contains(" 429 ") {
        #expect(head.contains(" 200 "))
        return wire
      }
      usleep(10_000)
    }
    throw WireError.closed
  }

  private static func resident(_ process: pid_t) -> Int {
    guard let file = fopen("/proc/\(process)/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 256)
    fgets(&text, 256, file)
    let fields = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    return (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }
}

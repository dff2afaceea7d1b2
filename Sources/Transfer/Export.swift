import Gardens
import HTTP
import Insights
import JSON
import Postgres
import Settings
import Values
import Web

/// Everything that a user owns, one line of JSON for each thing, as it was at one moment.
struct Export: EndpointGroup {
  static let mediaType = "application/x-ndjson"
  /// The version of the lines' format, raised when a reader of the old one would misread the new one.
  static let schema = 1
  let context: LoopContext
  let features: [any Feature]
  let transfers: Transfers

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "exportAccount", method: .get, template: "/api/users/me/export", access: .user, summary: "Everything you own",
        details: """
          One JSON object per line, each with its `kind`; the first is the header. Raw readings are exact; older ones \
          are hourly buckets. Devices come without their keys. `importAccount` takes this file. If all places are \
          taken, a client that reads slower than 64 KiB/s loses its place to another: the answer breaks off.
          """,
        tag: "Accounts",
        success: Endpoint.Success(200, .string(), mediaTypes: [Self.mediaType], headers: ["ContentDisposition"]),
        handler: .async(export))
    ]
  }

  private func export(_ call: Call) async throws -> Response {
    let (user, now) = (try call.user.id, call.now)
    guard context.database.isUsable else { throw Problem(.unavailable, "The database does not answer.") }
    let headers: HeaderList = [
      "Content-Type": Self.mediaType, "Cache-Control": "private, no-store",
      "Content-Disposition": "attachment; filename=\"terroir-\(CivilDate(now)).ndjson\"",
    ]
    if call.request.method == .head { return Response(.ok, headers: headers, body: .stream { _ in }) }
    // The last check: another transfer may have to give way for this one.
    let place = try transfers.begin(call.client)
    return Response(
      .ok, headers: headers,
      body: .stream { writer in
        defer { place.end() }
        do {
          try await write(user, now, place.transfer, to: writer)
          context.meters.action(.export)
        } catch let gone as StreamClosed {
          if place.transfer.hasGivenWay { context.logger.log(.info, "Ended a slow export to make room for others") }
          throw gone
        } catch {
          // The head has been sent: all that is left is to break off, so that the client does not take this for the
          // whole.
          context.logger.log(.error, "An export was cut short") { $0.field("error", error: error) }
          throw error
        }
      })
  }

  /// Writes all parts from one snapshot; the next rows are fetched once the client has taken the last ones.
  private func write(
    _ user: Identifier, _ now: Timestamp, _ transfer: Transfer, to writer: BodyWriter
  ) async throws {
    let deadline = context.loop.now + Transfers.longestNanoseconds
    let rawDays = context.configuration.readings.rawDays
    // What was written cannot be taken back, so that the transaction cannot be run again.
    try await context.database.transaction(
      .repeatableRead, readOnly: true, timeoutMilliseconds: Transfers.timeoutMilliseconds, attempts: 1
    ) { transaction in
      var lines = ExportLines()
      lines.header(at: now)
      try await transfer.write(lines.take(), to: writer)
      try await transaction.execute(RawReadings.keepDays)
      let rawFrom = Self.rawFrom(now, rawDays: rawDays)
      for part in features.flatMap({ $0.exportParts(of: user, rawFrom: rawFrom) }) {
        try await transaction.stream(part.sql, name: "export.\(part.kind)", chunkRows: part.chunkRows) { rows in
          for row in rows { try lines.add(part.kind) { json in try part.write(row, &json) } }
          try await transfer.write(lines.take(), to: writer)
          guard context.loop.now < deadline else { throw Problem(.timeout, "The export took too long.") }
        }
      }
    }
  }

  /// The hour from which readings are exported raw. Before it only hours are, so that no reading is in both.
  static func rawFrom(_ now: Timestamp, rawDays: Int) -> Timestamp {
    let hour = Timestamp.millisecondsPerHour
    return now.advanced(byDays: -Int64(rawDays)).advanced(byMilliseconds: hour).roundedDown(to: hour)
  }
}

/// Lines of an export that are not sent yet.
struct ExportLines {
  private var bytes: [UInt8] = []

  mutating func header(at now: Timestamp) {
    add(.header) { json in
      json.member("schema", Export.schema)
      json.member("exportedAt", now)
    }
  }

  mutating func add(_ kind: LineKind, _ members: (inout JSONWriter) throws -> Void) rethrows {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    var json = JSONWriter(continuing: taken)
    try json.object { json in
      json.member("kind", kind.rawValue)
      try members(&json)
    }
    bytes = json.take()
    bytes.append(UInt8(ascii: "\n"))
  }

  mutating func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }
}

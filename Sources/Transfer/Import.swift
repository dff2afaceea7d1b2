import Commerce
import Gardens
import HTTP
import JSON
import Postgres
import Secrets
import Settings
import Values
import Web

/// Takes in what `Export` gave, here or on another server: everything is made anew under new ids, all or nothing.
struct Import: EndpointGroup {
  /// How long the transaction may wait for more of the file before it is told that it is not forgotten, in nanoseconds.
  static let keepAliveNanoseconds: UInt64 = 10_000_000_000

  let context: LoopContext
  let transfers: Transfers

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "importAccount", method: .post, template: "/api/users/me/import", access: .user, summary: "Take in an export",
        details: """
          Copies everything in the file under new ids: gardens, devices (without keys), readings, insights, businesses \
          and products. Orders and the profile are skipped. One faulty line refuses the file; a dry run changes \
          nothing; faults are counted, and the first 100 listed. Importing a file twice makes two copies, unless both \
          requests have the same Idempotency-Key.
          """,
        tag: "Accounts",
        parameters: [.query("dryRun", .boolean, "Whether to check the file only."), .idempotencyKey()],
        body: Endpoint.Body(
          mediaTypes: [Export.mediaType], schema: .string(),
          example: #"{"kind":"header","schema":1,"exportedAt":"2026-11-21T09:30:00.000Z"}"#),
        bodyLimit: context.configuration.http.importBytes,
        success: Endpoint.Success(200, Self.report), refusals: [.conflict],
        handler: .streaming(take)),
      Endpoint(
        "importHistory", method: .post, template: "/api/devices/{id}/history", access: .user,
        summary: "Take in what a device has measured before",
        details: """
          CSV whose first line names the columns `sensorType`, `value` and `measuredAt`, which is RFC 3339 or a Unix time; \
          readings may be of any age since 1970. One faulty line refuses the file, of which nothing is stored then; so does \
          an empty file, while one with the names alone is a history without readings. What is there already is skipped: a \
          reading of the same time, and of what is kept by the hour alone every hour that had readings before.
          """,
        tag: "Readings",
        parameters: [.query("dryRun", .boolean, "Whether to check the file only."), .idempotencyKey()],
        body: Endpoint.Body(
          mediaTypes: [HistoryTable.mediaType], schema: .string(),
          example: "sensorType,value,measuredAt\nsoil_moisture,31.5,2025-11-21T09:30:00Z\n"),
        bodyLimit: context.configuration.http.importBytes,
        success: Endpoint.Success(200, Self.report),
        handler: .streaming(takeHistory)),
    ]
  }

  private func take(_ call: Call) async throws -> Response {
    try call.requireMediaType([Export.mediaType])
    return try await take(call, into: nil)
  }

  private func takeHistory(_ call: Call) async throws -> Response {
    let device = try await DeviceAccess(context: context).device(
      try call.identifier("id"), for: try call.user, as: .editor)
    try call.requireMediaType([HistoryTable.mediaType])
    return try await take(call, into: device)
  }

  /// Takes in an export, or the history of a device.
  private func take(_ call: Call, into device: DeviceIdentity?) async throws -> Response {
    let user = try call.user.id
    let isDryRun = try call.query().flag("dryRun") ?? false
    let place = try transfers.begin(call.client)
    defer { place.end() }
    let (loop, deadline) = (context.loop, context.loop.now + Transfers.longestNanoseconds)
    let key = try isDryRun ? nil : IdempotencyKey(call.request, user: user, content: [], seal: context.answerSeal)
    let target = Array("\(call.request.target)\n".utf8)
    // Invariant 1.
    var lines = BodyLines(call.request.bodyStream, digest: key.map { _ in RunningDigest(target) }) {
      [unowned(unsafe) loop] in
      guard loop.now < deadline else { throw Problem(.timeout, "The import took too long.") }
    }
    if let key, let made = try await made(before: key, &lines, at: call.now) { return call.response(made) }
    let rawDays = context.configuration.readings.rawDays
    var file = ImportFile(now: call.now, rawFrom: Export.rawFrom(call.now, rawDays: rawDays))
    if let device { file.expectHistory(of: device, types: try await measuredTypes(of: device)) }
    var isRefused = false
    let partitions = ReadingPartitions(context)
    try await context.database.transaction { try await partitions.make(partitions.days(at: call.now), $0) }
    do {
      try await write(&lines, &file, for: user, into: device, isDryRun: isDryRun, key)
    } catch is Refused {
      isRefused = true
    }
    // Other transfers need not wait for the rest of a faulty file.
    place.end()
    if isRefused { try await readOn(&lines, &file) }
    if !isDryRun {
      if isRefused { throw Self.refusal(file.report) }
      await context.replicaReads.noteStored(of: [user] + (device.map { [$0.id, $0.garden] } ?? []))
      context.meters.action(.import)
    }
    return call.ok(file.report.body(isDryRun: isDryRun))
  }

  /// What the same file with the same key has made before. Which file it is shows only once all of it was read.
  private func made(before key: IdempotencyKey, _ lines: inout BodyLines, at now: Timestamp) async throws -> Made? {
    guard try await key.isUsed(in: context.database, at: now) else { return nil }
    while try await lines.next() != nil {}
    return try await key.about(lines.digest).made(in: context.database, at: now)
  }

  /// Thrown to roll back: the file is faulty, or it was but a trial.
  private struct Refused: Error {}

  /// Reads the file into one transaction. Throws `Refused` at the first fault, or at the end of a dry run.
  private func write(
    _ lines: inout BodyLines, _ file: inout ImportFile, for user: Identifier, into device: DeviceIdentity?,
    isDryRun: Bool, _ key: IdempotencyKey?
  ) async throws {
    let now = context.now
    var hasBegun = false
    try await context.cache.change(timeoutMilliseconds: Transfers.timeoutMilliseconds) { transaction, tags in
      // What was read of the body cannot be read again.
      guard !hasBegun else { throw Problem(.unavailable, "The import was interrupted. Send the file again.") }
      hasBegun = true
      if let key {
        try await key.claim(in: transaction)
        // Committed since it was looked for.
        if try await key.isUsed(in: transaction, at: now) { throw IdempotencyKey.inProgress }
      }
      if let device { try await hold(device.id, for: user, in: transaction) }
      var parts = device.map { HistoryParts(device: $0.id, rawFrom: file.rawFrom) }
      var lastStatement = context.loop.now
      while let line = try await lines.next() {
        try await take(line, lines.number, into: &file)
        if file.report.faultCount > 0 { throw Refused() }
        let isLate = context.loop.now - lastStatement >= Self.keepAliveNanoseconds
        guard file.batch.isFull || isLate else { continue }
        try await pass(&file, &parts, user, transaction)
        lastStatement = context.loop.now
      }
      file.finish(line: lines.number)
      if file.report.faultCount > 0 { throw Refused() }
      try await pass(&file, &parts, user, transaction)
      if let parts { try await write(parts, lines, &file, user, transaction) }
      // Not before: until the file is at its end, a device whose row is changed could not be noted as heard of.
      if file.isHistory { try await file.batch.noteTypes(in: transaction) }
      if file.hasGardens { try await NewGarden.checkBound(of: user, in: transaction) }
      if file.hasBusinesses { try await NewBusiness.checkBound(of: user, in: transaction) }
      if isDryRun { throw Refused() }
      let made = Made(status: .ok, body: file.report.body(isDryRun: false))
      try await key?.about(lines.digest).keep(made, in: transaction, at: now)
      if file.touchesPublic { tags = [.gardens, .businesses] }
      if let device { tags = [.latest(in: device.garden)] }
    }
  }

  /// Keeps a device, since what is stored after its end would stay, and its other histories away, of which hours are
  /// not there yet.
  private func hold(_ device: Identifier, for user: Identifier, in transaction: Transaction) async throws {
    guard let row = try await transaction.query(Self.holdDevice, device, user).first else {
      throw DeviceAccess.notFound
    }
    guard try row.decode(Bool.self, 0) else {
      throw Transfers.underWay("A history of this device is being taken in. Let it end first.")
    }
  }

  /// Writes what has come so far; of a history not before its end.
  private func pass(
    _ file: inout ImportFile, _ parts: inout HistoryParts?, _ user: Identifier, _ transaction: Transaction
  ) async throws {
    if parts == nil { return try await flush(&file, user, transaction) }
    try await parts?.move(&file.batch, in: transaction)
  }

  /// Writes a history, now that all of it is there.
  private func write(
    _ parts: HistoryParts, _ lines: BodyLines, _ file: inout ImportFile, _ user: Identifier, _ transaction: Transaction
  ) async throws {
    try await parts.holdHours(in: transaction)
    var inHours = 0
    for slice in parts.slices {
      try lines.check()
      inHours += try await parts.makeHours(of: slice, in: transaction)
    }
    file.wroteHours(of: inHours, among: parts.oldCount)
    for part in parts.parts {
      try lines.check()
      file.batch.readings = try await parts.take(part, in: transaction)
      try await flush(&file, user, transaction)
    }
  }

  private func flush(_ file: inout ImportFile, _ user: Identifier, _ transaction: Transaction) async throws {
    let fresh = try await file.batch.write(user, at: context.now, in: transaction)
    if !file.isHistory { try await file.batch.noteTypes(in: transaction) }
    if file.batch.count == 0 { try await transaction.execute(Self.keepAlive) }
    file.written(freshReadings: fresh)
  }

  /// Reads on without writing, so that all faults are told at once. Behind a fault rows could name what was never made.
  private func readOn(_ lines: inout BodyLines, _ file: inout ImportFile) async throws {
    while let line = try await lines.next() {
      try await take(line, lines.number, into: &file)
      if file.batch.isFull { file.written(freshReadings: file.batch.readings.count) }
    }
    file.finish(line: lines.number)
    file.written(freshReadings: file.batch.readings.count)
  }

  /// Reads a line, once the database was asked for its time zone.
  private func take(_ line: [UInt8], _ number: Int, into file: inout ImportFile) async throws {
    guard let zone = file.take(line, line: number) else { return }
    file.learn(zone, try await TimeZoneName.settled(zone, in: context.database))
    _ = file.take(line, line: number)
  }

  private static func refusal(_ report: ImportReport) -> Problem {
    var problem = Problem(.validation, "The file has faulty lines. Nothing was imported.")
    problem.extensions = [("errors", report.faultsJSON), ("errorCount", Array(String(report.faultCount).utf8))]
    return problem
  }

  private func measuredTypes(of device: DeviceIdentity) async throws -> [String] {
    try await context.database.query(Self.measuredTypes, device.id).map { try $0.decode(String.self, 0) }
  }

  private static let measuredTypes = Statement("import.measuredTypes", DeviceTypes.rows(of: "$1"))
  private static let holdDevice = Statement(
    "import.holdDevice",
    """
    SELECT pg_try_advisory_xact_lock(hashtextextended('history ' || devices.id::text, 0))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.id = $1 AND \(GardenRole.editor.isHeld(by: "$2")) FOR KEY SHARE OF devices
    """)
  private static let keepAlive = Statement("import.keepAlive", "SELECT")

  private static let report = Schema.named(
    "ImportReport",
    .object([
      .required("dryRun", .boolean), .required("created", .map(.integer(minimum: 0)), "Counts by kind of line."),
      .required("skipped", .map(.integer(minimum: 0)), "Counts by kind of line."),
      .required(
        "errors",
        .array(
          .object([
            .required("line", .integer(minimum: 1)), .required("pointer", .string()), .required("detail", .string()),
          ]), maxItems: ImportReport.maximumFaults), "The first of them."),
      .required("errorCount", .integer(minimum: 0), "How many faults the whole file has."),
    ]),
    example: #"""
      {"dryRun":false,"created":{"garden":2,"device":5,"reading":14400},"skipped":{"order":1},"errors":[],\#
      "errorCount":0}
      """#)
}

import Gardens
import HTTP
import JSON
import Secrets
import Settings
import Values
import Web

/// Takes in what `Export` wrote, here or on another server: everything is made anew under new ids, all or nothing.
struct Import: EndpointGroup {
  let context: LoopContext
  let transfers: Transfers

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "importAccount", method: .post, template: "/api/users/me/import", access: .user, summary: "Import an export",
        details: """
          Copies everything in the file under new ids: gardens, devices (without keys), readings, insights, businesses \
          and products. Orders and the profile are skipped. One faulty line refuses the file. A dry run changes \
          nothing. The answer counts all faults and lists the first 100. Importing a file twice makes two copies, \
          unless both requests have the same Idempotency-Key. If all places are taken, a file slower than 64 KiB/s \
          loses its place to another (503); nothing of it is imported.
          """,
        tag: "Accounts",
        parameters: [.query("dryRun", .boolean, "Whether only to check the file."), .idempotencyKey()],
        body: Endpoint.Body(
          mediaTypes: [Export.mediaType], schema: .string(),
          example: #"{"kind":"header","schema":1,"exportedAt":"2026-11-21T09:30:00.000Z"}"#),
        bodyLimit: context.configuration.http.importBytes,
        success: Endpoint.Success(200, Self.report), refusals: [.conflict],
        handler: .streaming(take)),
      Endpoint(
        "importHistory", method: .post, template: "/api/devices/{id}/history", access: .user,
        summary: "Import a device's past readings",
        details: """
          CSV whose first line names the columns `sensorType`, `value` and `measuredAt` (RFC 3339 or Unix time). \
          Readings may be of any age since 1970. One faulty line refuses the file: nothing of it is stored. An empty \
          file is refused too; one with the column names alone is a history without readings. Existing readings are \
          skipped: those of the same time and, where only hours are kept, every hour that had readings before. A slow \
          file loses its place as in `importAccount`.
          """,
        tag: "Readings",
        parameters: [.query("dryRun", .boolean, "Whether only to check the file."), .idempotencyKey()],
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
    let key = try isDryRun ? nil : IdempotencyKey(call.request, user: user, content: [], seal: context.answerSeal)
    // The last check: another transfer may have to give way for this one.
    let place = try transfers.begin(call.client)
    defer { place.end() }
    let (loop, deadline) = (context.loop, context.loop.now + Transfers.longestNanoseconds)
    let target = Array("\(call.request.target)\n".utf8)
    // Invariant 1: the loop outlives the import.
    let digest = key.map { _ in RunningDigest(target) }
    let lines = BodyLines(call.request.bodyStream, of: place.transfer, digest: digest) { [unowned(unsafe) loop] in
      guard loop.now < deadline else { throw Problem(.timeout, "The import took too long.") }
    }
    let file = ImportFile(
      now: call.now, rawFrom: Export.rawFrom(call.now, rawDays: context.configuration.readings.rawDays))
    var run = ImportRun(context, lines: lines, file: file, of: user, into: device, isDryRun: isDryRun, key: key)
    if let made = try await run.madeBefore(at: call.now) { return call.response(made) }
    let isAccepted = try await run.write()
    // Other transfers need not wait for the rest of a faulty file.
    place.end()
    if !isAccepted { try await run.readOn() }
    if !isDryRun {
      if !isAccepted { throw Self.refusal(run.report) }
      await context.replicaReads.noteStored(of: [user] + (device.map { [$0.id, $0.garden] } ?? []))
      context.meters.action(.import)
    }
    return call.ok(run.report.body(isDryRun: isDryRun))
  }

  private static func refusal(_ report: ImportReport) -> Problem {
    var problem = Problem(.validation, "The file has faulty lines. Nothing was imported.")
    problem.extensions = [("errors", report.faultsJSON), ("errorCount", Array(String(report.faultCount).utf8))]
    return problem
  }

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
          ]), maxItems: ImportReport.maximumFaults), "The first of the faults."),
      .required("errorCount", .integer(minimum: 0), "How many faults the whole file has."),
    ]),
    example: #"""
      {"dryRun":false,"created":{"garden":2,"device":5,"reading":14400},"skipped":{"order":1},"errors":[],\#
      "errorCount":0}
      """#)
}

import HTTP
import JSON
import Reactor
import Settings
import Values
import Web

/// The probes of Docker, Kubernetes, load balancers and people. None of them waits for anything.
struct Probes: EndpointGroup {
  let context: LoopContext
  let status: LoopStatus

  var endpoints: [Endpoint] {
    let liveness = Liveness(loop: context.loop, heartbeats: context.process.heartbeats)
    let (ok, version) = (
      Self.answer(200, word: "ok"), Self.answer(200, Self.versionBody(context.configuration.service))
    )
    let (stuck, starting) = (Self.answer(503, word: "stuck"), Self.answer(503, word: "starting"))
    return [
      endpoint("getLiveness", path: "/livez", summary: "Whether the process is alive", schema: Self.word) {
        $1.send(liveness.isAlive ? ok : stuck)
      },
      // An orchestrator ends a start that lasts too long, so this does not wait for Redis, without which the server is
      // ready.
      endpoint("getStartup", path: "/startupz", summary: "Whether the server has started", schema: Self.word) {
        $1.send(status.health.isStarted ? ok : starting)
      },
      endpoint(
        "getReadiness", path: "/readyz", summary: "Whether requests should be sent here", schema: Self.readiness,
        parameters: Self.readyParameters, ready),
      endpoint(
        "getHealth", path: "/health", summary: "The full report, checks by name", schema: Self.report,
        variant: Self.draft
      ) {
        fullReport($0, &$1, asList: false)
      },
      endpoint(
        "getHealthChecks", path: "/api/health", summary: "The full report, checks as a list", schema: Self.report,
        variant: Self.draft
      ) {
        fullReport($0, &$1, asList: true)
      },
      endpoint("getVersion", path: "/version", summary: "The running version", schema: Self.version) {
        $1.send(version)
      },
    ]
  }

  private func endpoint(
    _ name: String, path: String, summary: String, schema: Schema,
    variant: (mediaType: String, schema: Schema)? = nil, parameters: [Endpoint.Parameter] = [],
    _ handle: @escaping (Call, inout ResponseWriter) -> Void
  ) -> Endpoint {
    let isProbe = path != "/version"
    return Endpoint(
      name, method: .get, template: path, access: .open, summary: summary, tag: "Operations", parameters: parameters,
      success: Endpoint.Success(200, schema, variant: variant),
      reports: isProbe ? [Endpoint.Success(503, schema, variant: variant)] : [], isProbe: isProbe,
      handler: .sync(handle))
  }

  private static let readyParameters: [Endpoint.Parameter] = [
    .query("verbose", .string(), "Adds each check to the answer."),
    .query("exclude", .array(.string()), "A check to ignore; may be given several times."),
  ]

  // MARK: Kubernetes' probes

  // Its name is a schema of the API (`cases(of:)`).
  private enum ReadinessStatus: String, CaseIterable { case ok, degraded, unavailable, draining }

  /// Answers 200 while Postgres can be used and the process is not about to end. Without Redis the server is ready, if
  /// degraded.
  private func ready(_ call: Call, _ writer: inout ResponseWriter) {
    let query = try? call.query()
    let excluded = Set((query?.parameters ?? []).filter { $0.name == "exclude" }.map(\.value))
    let isVerbose = query?.parameters.contains { $0.name == "verbose" } ?? false
    let report = status.health
    // On all loops, since the next request may come to any of them.
    let database = report["database"]?.status == .healthy && context.process.databaseReach.isWhole
    let isReady =
      !status.isDraining && (excluded.contains("database") || database)
      && (report.isStarted || excluded.contains("database"))
    let others = report.checks.filter { $0.name != "database" && !excluded.contains($0.name) }
    let word: ReadinessStatus =
      if status.isDraining {
        .draining
      } else if !isReady {
        .unavailable
      } else if others.contains(where: { $0.status != .healthy }) {
        .degraded
      } else {
        .ok
      }
    var json = JSONWriter()
    json.object { json in
      json.member("status", word.rawValue)
      guard isVerbose else { return }
      json.key("checks")
      HealthFormat.object(report.checks.filter { !excluded.contains($0.name) }, at: context.loop.now, &json)
    }
    writer.send(Self.answer(isReady ? 200 : 503, json.take()))
  }

  private static func answer(_ status: UInt16, word: String) -> FixedAnswer {
    answer(status, Array(#"{"status":"\#(word)"}"#.utf8))
  }

  private static func answer(_ status: UInt16, _ body: [UInt8]) -> FixedAnswer {
    var headers: HeaderList = ["Content-Type": "application/json", "Cache-Control": "no-store"]
    if status == 503 { headers.append("Retry-After", "1") }
    return FixedAnswer(Status(rawValue: status), headers: headers, body: body)
  }

  private static func versionBody(_ service: Configuration.Service) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("name", service.name)
      json.member("version", service.version)
      json.member("revision", service.revision)
      json.member("swift", Version.swift)
    }
    return json.take()
  }

  // MARK: Reports

  private static let reportForms = ["application/json", HealthFormat.draftMediaType]

  private func fullReport(_ call: Call, _ writer: inout ResponseWriter, asList: Bool) {
    let report = status.health
    // A client that accepts neither is not refused: a probe has its answer.
    let form = Accept.choose(call.request.headerList("Accept"), from: Self.reportForms) ?? Self.reportForms[0]
    let isDraft = form == HealthFormat.draftMediaType
    let format = HealthFormat(report: report, context: context)
    let body = isDraft ? format.draft() : format.full(asList: asList)
    writer.begin(report.status == .unhealthy ? .serviceUnavailable : .ok)
    writer.fields.append("Content-Type", form)
    writer.fields.append(lines: "Cache-Control: no-store\r\n")
    if report.status == .unhealthy { writer.fields.append(lines: "Retry-After: 1\r\n") }
    writer.end(body)
  }

  // MARK: Schemas

  private static let word = Schema.named(
    "ProbeAnswer", .object([.required("status", .string())]), example: #"{"status":"ok"}"#)
  private static let readiness = Schema.named(
    "Readiness",
    .object([
      .required("status", .cases(of: ReadinessStatus.self)),
      .optional("checks", .map(check), "By name; with `verbose` only."),
    ]), example: #"{"status":"ok"}"#)
  private static let check = Schema.named("HealthCheck", .map(.oneOf([.string(), .number()])))
  private static let report = Schema.named(
    "HealthReport",
    .object([
      .required("status", .cases(of: HealthStatus.self)),
      .required("timestamp", .timestamp),
      .required("uptime", .number(minimum: 0), "Seconds since the start."),
      .required("version", .string()),
      .required("checks", .any, "By name on /health, a list on /api/health."),
    ]),
    example: #"""
      {"status":"healthy","timestamp":"2026-11-21T09:30:00.000Z","uptime":86400.5,"version":"1.0.0",\#
      "checks":{"database":{"status":"healthy","latencyMs":0.4}}}
      """#)
  private static let draft = (
    mediaType: HealthFormat.draftMediaType,
    schema: Schema.named(
      "HealthCheckResponse",
      .object([
        .required("status", draftStatus),
        .required("version", .string()),
        .required("serviceId", .string()),
        .required("checks", .map(.array(draftCheck)), "By name and measurement."),
      ]),
      example: #"""
        {"status":"pass","version":"1.0.0","serviceId":"terroir",\#
        "checks":{"database:responseTime":[{"status":"pass","observedValue":0.4,"observedUnit":"ms"}]}}
        """#)
  )
  private static let draftCheck = Schema.named(
    "HealthCheckMeasurement",
    .object([
      .required("status", draftStatus), .required("observedValue", .number()), .required("observedUnit", .string()),
    ]))
  private static let draftStatus = Schema.named("HealthCheckStatus", .enumeration(["pass", "warn", "fail"]))
  private static let version = Schema.named(
    "Version",
    .object([
      .required("name", .string()), .required("version", .string()), .required("revision", .string()),
      .required("swift", .string()),
    ]), example: #"{"name":"terroir","version":"1.0.0","revision":"0f1e2d3c","swift":"6.3.1"}"#)
}

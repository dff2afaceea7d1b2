import HTTP
import JSON
import Settings
import Values
import Web

/// The live status page and the figures that it shows.
struct StatusPages: EndpointGroup {
  let context: LoopContext
  let status: LoopStatus
  private let memory: StatusMemory

  init(context: LoopContext, status: LoopStatus) {
    self.context = context
    self.status = status
    memory = StatusMemory(context)
  }

  private static let page = PageShell.page(
    title: "Status", at: "/status", script: "status", main: Asset.named("status.html").bytes)

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "getStatusPage", method: .get, template: "/status", access: .open, summary: "The live status page",
        tag: "Pages",
        success: .page,
        handler: .async { call in Self.page.response(to: call.request) }),
      Endpoint(
        "getStatusData", method: .get, template: "/status/data", access: .open, summary: "What the status page shows",
        details: "A point for each five seconds of the last fifteen minutes, of the process that answers.",
        tag: "Pages",
        parameters: [.query("after", .timestamp, "Only points after this one.")],
        success: Endpoint.Success(200, Self.schema), handler: .async(data)),
      Endpoint(
        "getStatusHistory", method: .get, template: "/status/history", access: .open,
        summary: "The service's recent availability",
        details: "By hour and by day, of all replicas together; recorded every minute.", tag: "Pages",
        success: Endpoint.Success(200, StatusRecord.schema, headers: ["ETag"]),
        handler: .async { call in call.conditional(try await memory.entry(), isList: false) }),
    ]
  }

  private func data(_ call: Call) throws -> Response {
    let after = try call.query().timestamp("after")
    let now = context.loop.now
    var json = JSONWriter()
    json.object { json in
      json.member("status", status.health.status.rawValue)
      json.member("version", context.configuration.service.version)
      json.member("startedAt", context.process.startedOn)
      json.member("now", call.now)
      json.key("checks")
      json.array { json in
        for check in status.health.checks {
          json.object { json in
            json.member("name", check.name)
            check.write(&json, at: now)
          }
        }
      }
      json.member("intervalSeconds", StatusHistory.intervalSeconds)
      json.member("points", status.history.filter { point in after.map { point.at > $0 } ?? true })
    }
    return Response(
      .ok, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: .bytes(json.take()))
  }

  private static let schema = Schema.named(
    "Status",
    .object([
      .required("status", .cases(of: HealthStatus.self)),
      .required("version", .string()),
      .required("startedAt", .timestamp, "When this process started; the same in all its answers."),
      .required("now", .timestamp, "The server's clock."),
      .required(
        "checks",
        .array(
          .object([
            .required("name", .string()), .required("status", .cases(of: HealthStatus.self)),
            .required("latencyMs", .number(minimum: 0)),
            .required("ageMs", .number(minimum: 0), "How long ago the check ended, in milliseconds."),
          ]))),
      .required("intervalSeconds", .integer()),
      .required("points", .array(StatusPoint.schema, maxItems: StatusHistory.maximumPoints), "Oldest first."),
    ]))
}

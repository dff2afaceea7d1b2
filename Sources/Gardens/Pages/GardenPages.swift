import HTTP
import JSON
import Postgres
import Values
import Web

/// The pages of gardens: a list of the public ones, and for each its current values and charts.
struct GardenPages: EndpointGroup {
  let context: LoopContext
  let charts: GardenCharts

  private static let list = PageShell.page(
    title: "Public gardens", at: "/gardens", script: "gardens", main: Asset.named("gardens.html").bytes)
  private static let absent = notice(
    "There is no garden here, or it is private and you are not signed in as one of its members.")

  /// The page for a visitor who is not signed in, in place of a garden that may be theirs.
  private static func closed(_ garden: Identifier) -> WebFile {
    var way = HTMLWriter()
    way.element("p") { html in
      html.element("a", ["href": "/?to=/gardens/\(garden)"], "Sign in")
      html.text(" if it is yours.")
    }
    return notice("There is no garden here, or it is private and you are not signed in.", way: way)
  }

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "getGardensPage", method: .get, template: "/gardens", access: .open,
        summary: "The page that lists public gardens", tag: "Pages",
        success: .page,
        handler: .async { call in Self.list.response(to: call.request) }),
      Endpoint(
        "getGardenPage", method: .get, template: "/gardens/{id}", access: .anyone,
        summary: "The page of a garden that is public or your own", tag: "Pages",
        success: .page, reports: [404, 503].map { Endpoint.Success($0, .string(), mediaTypes: ["text/html"]) },
        handler: .async(page)),
      Endpoint(
        "getGardenPageData", method: .get, template: "/gardens/{id}/data", access: .anyone,
        summary: "What a garden's charts show",
        details: """
          Mean, lowest and highest values by device and sensor, in at most \(GardenHistory.maximumSteps) steps of 5 or \
          15 minutes, 1 or 4 hours or a day, or in weeks. At most \(GardenHistory.maximumDevices) devices, in the \
          order in which they were made, and without names, since these are not public. The newest step may be 5 \
          seconds behind, or a minute where steps are an hour or longer.
          """,
        tag: "Pages",
        parameters: [
          .query(
            "range", .cases(of: GardenHistory.Range.self, named: "GardenHistoryRange"),
            "The period that ends at `to`; `day` by default."),
          .query("from", .timestamp, "The start, in place of `range`; the step that contains it is shown whole."),
          .query("to", .timestamp, "The end; now by default."),
        ],
        success: Endpoint.Success(200, GardenHistory.schema, headers: ["ETag"]),
        handler: .async(data)),
    ]
  }

  private func page(_ call: Call) async throws -> Response {
    guard let id = call.request.withParameter("id", { Identifier($0) }) else {
      return Self.absent.response(to: call.request, .notFound)
    }
    guard let garden = try await find(id, call) else { return absent(id, call) }
    let isKnown = call.identity.user != nil
    return Self.page(of: garden.name, for: isKnown ? garden.role?.rawValue ?? "none" : "")
      .response(to: call.request, isPersonal: isKnown || !garden.isPublic)
  }

  /// Answers a visitor who may not see the garden.
  ///
  /// A cookie that is `SameSite=Strict` does not come with a link from another site's page, such as that of a mail (RFC
  /// 6265bis, section 5.2). So the page that such a link opens loads itself once more: that request comes from our own
  /// page.
  private func absent(_ garden: Identifier, _ call: Call) -> Response {
    let (request, isStranger) = (call.request, call.identity.id == nil)
    let page = isStranger ? Self.closed(garden) : Self.absent
    var response = page.response(to: request, .notFound, isPersonal: true)
    let isFirst = (try? call.query().flag("again")) != true
    if isFirst, isStranger, request.headers("Sec-Fetch-Mode") == ["navigate"],
      ["cross-site", "same-site"].contains(request.header("Sec-Fetch-Site"))
    {
      response.headers.append("Refresh", "0; url=/gardens/\(garden)?again=true")
    }
    return response
  }

  /// What its page shows of a garden.
  private struct Visible {
    let name: String
    let isPublic: Bool
    /// The caller's role in it.
    let role: GardenRole?
  }

  /// Returns nil for a garden that the caller may not see.
  private func find(_ garden: Identifier, _ call: Call) async throws -> Visible? {
    guard let row = try await context.database.query(Self.visible, garden, call.identity.user).first else { return nil }
    var columns = row.columns
    return Visible(name: try columns.next(), isPublic: try columns.next(), role: try GardenRole.read(&columns))
  }

  private func data(_ call: Call) async throws -> Response {
    let (id, readings) = (try call.identifier("id"), context.configuration.readings)
    let history = try GardenHistory(garden: id, try call.query(), fineDays: readings.fiveMinuteDays, now: call.now)
    guard try await find(id, call) != nil else { throw GardenAccess.notFound }
    return call.conditional(try await charts.chart(history, for: call.client), isList: false)
  }

  /// The page of a garden for a caller with `role`, which is empty for one who is not signed in.
  private static func page(of name: String, for role: String) -> WebFile {
    var text = HTMLWriter()
    text.text(name)
    return PageShell.page(
      title: name, at: "/gardens", script: "garden",
      main: Asset.named("garden.html").filled(["role": Array(role.utf8), "name": text.bytes]))
  }

  private static func notice(_ detail: String, way: HTMLWriter = HTMLWriter()) -> WebFile {
    var way = way
    way.element("p") { html in html.element("a", ["href": "/gardens"], "All public gardens") }
    return PageShell.notice("No such garden", detail, at: "/gardens", way: way.bytes)
  }

  private static let visible = Statement(
    "gardenPages.visible",
    """
    SELECT name, public, \(GardenRole.column(of: "$2")) FROM gardens
    WHERE id = $1 AND \(GardenRole.isVisible(to: "$2"))
    """)
}

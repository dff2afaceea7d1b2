import HTTP
import JSON
import Postgres
import Values
import Web

/// The pages of public gardens: a list, and for each its current values and charts.
struct GardenPages: EndpointGroup {
  let context: LoopContext
  let charts: GardenCharts

  private static let list = PageShell.page(
    title: "Public gardens", at: "/gardens", script: "gardens", main: Asset.named("gardens.html").bytes)
  private static let absent = notice("No such garden", "There is no garden here, or it is not public.")
  private static let away = notice("Back in a moment", "The garden cannot be shown just now. Try again soon.")

  package var endpoints: [Endpoint] {
    [
      Endpoint(
        "getGardensPage", method: .get, template: "/gardens", access: .open,
        summary: "The page that lists public gardens", tag: "Pages",
        success: .page,
        handler: .sync { call, writer in writer.send(Self.list.response(to: call.request)) }),
      Endpoint(
        "getGardenPage", method: .get, template: "/gardens/{id}", access: .open, summary: "The page of a public garden",
        tag: "Pages",
        success: .page, reports: [404, 503].map { Endpoint.Success($0, .string(), mediaTypes: ["text/html"]) },
        handler: .async(page)),
      Endpoint(
        "getGardenPageData", method: .get, template: "/gardens/{id}/data", access: .open,
        summary: "What a public garden's charts show",
        details: """
          Averages, lowest and highest values by device and sensor: of 5 minutes for a day, 1 hour for a week, 4 hours
          for a month (30 days). What devices are called is their owner's alone, so they come without names, in the
          order of their making. At most \(GardenHistory.maximumDevices) devices. The newest step may be 5 seconds \
          behind, or a minute in charts of more than a day.
          """,
        tag: "Pages",
        parameters: [
          .query("range", .cases(of: GardenHistory.Range.self, named: "GardenHistoryRange"), "`day` unless given.")
        ],
        success: Endpoint.Success(200, GardenHistory.schema, headers: ["ETag"]), refusals: [.overloaded],
        handler: .async(data)),
    ]
  }

  private func page(_ call: Call) async throws -> Response {
    guard let id = call.request.withParameter("id", { Identifier($0) }) else {
      return Self.absent.response(to: call.request, .notFound)
    }
    let rows: Rows
    do {
      rows = try await context.database.query(Self.publicName, id)
    } catch {
      return unavailable(Problem(error), call)
    }
    guard let row = rows.first else { return Self.absent.response(to: call.request, .notFound) }
    return Self.page(of: try row.decode(String.self, 0)).response(to: call.request)
  }

  /// A problem as a page.
  private func unavailable(_ problem: Problem, _ call: Call) -> Response {
    call.problem = problem
    var response = Self.away.response(to: call.request, Status(rawValue: UInt16(problem.code.status)))
    for header in problem.headers { response.headers.append(header.name, header.value) }
    return response
  }

  private func data(_ call: Call) async throws -> Response {
    let id = try call.identifier("id")
    let range = try call.query().word("range", GardenHistory.Range.self) ?? .day
    guard try await context.database.query(Self.publicName, id).first != nil else {
      throw Problem(.notFound, "There is no public garden with this id.")
    }
    let history = GardenHistory(garden: id, range: range, now: call.now)
    return call.conditional(try await charts.chart(history, for: call.client), isList: false)
  }

  private static func page(of name: String) -> WebFile {
    var text = HTMLWriter()
    text.text(name)
    return PageShell.page(
      title: name, at: "/gardens", script: "garden", main: Asset.named("garden.html").filled(["name": text.bytes]))
  }

  private static func notice(_ title: String, _ detail: String) -> WebFile {
    let main = Asset.named("absent.html").filled(["name": Array(title.utf8), "detail": Array(detail.utf8)])
    return PageShell.page(title: title, at: "/gardens", main: main)
  }

  private static let publicName = Statement(
    "garden_pages.name", "SELECT name FROM gardens WHERE id = $1 AND public")
}

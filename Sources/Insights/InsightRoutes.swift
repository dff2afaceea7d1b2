import Agronomy
import Gardens
import HTTP
import JSON
import Postgres
import Values
import Web

/// Insights: what a garden's numbers mean, made when asked for and listed afterwards.
struct InsightRoutes: EndpointGroup {
  static let template = "/api/gardens/{id}/insights"

  let context: LoopContext
  let feature: InsightFeature

  var endpoints: [Endpoint] {
    [
      Endpoint(
        "createInsight", method: .post, template: Self.template, access: .user, summary: "Make an insight",
        details: """
          The rules make the finding; `openai` or `anthropic` may word it. If the provider fails, the answer has the \
          rules' own words, and `provider` says so. Every insight carries the numbers it rests on. Each user's \
          requests to providers are limited (429). Requested insights are kept for a year, those that the server makes \
          by itself for ever.
          """,
        tag: "Insights", parameters: [.idempotencyKey()],
        body: .json(InsightRequest.self, example: #"{"type":"watering","provider":"rules"}"#),
        success: Endpoint.Success(201, Insight.schema, headers: ["Location", "ETag"]),
        refusals: [.noData, .providerNotConfigured], handler: .async(create)),
      Endpoint(
        "listInsights", method: .get, template: Self.template, access: .user, summary: "Insights of a garden",
        details: "Newest first.", tag: "Insights",
        parameters: PageRequest.parameters + [
          .query("type", .cases(of: InsightType.self), "Only insights of this type.")
        ],
        success: Endpoint.Success(200, .page(of: "InsightPage", Insight.schema), headers: ["ETag", "Link"]),
        handler: .async(list)),
      Endpoint(
        "getInsight", method: .get, template: "\(Self.template)/{insightId}", access: .user, summary: "One insight",
        tag: "Insights",
        success: Endpoint.Success(200, Insight.schema, headers: ["ETag"]),
        handler: .async(show)),
    ]
  }

  // MARK: Handlers

  private func create(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    let wanted = try call.form(InsightRequest.self)
    let observed = try await self.garden(garden, for: call.user.id, as: .editor)
    guard feature.models.isConfigured(wanted.provider) else {
      throw Problem(.providerNotConfigured, "This server is not configured to use \(wanted.provider.rawValue).")
    }
    let key = try call.idempotencyKey()
    // Looked up before a provider is asked, which takes long and costs.
    if let made = try await key?.made(in: context.database, at: call.now) { return call.response(made) }
    let draft = try await feature.maker.draft(
      wanted.type, of: observed, by: wanted.provider, for: call.user.id, client: call.client, trace: call.trace)
    var stored: Insight?
    let response = try await call.makeOnce(key) { transaction, _ in
      let insight = try await feature.maker.store(draft, in: transaction)
      stored = insight
      return Made(location: "/api/gardens/\(garden)/insights/\(insight.id)", body: insight.body)
    }.response
    if let stored { feature.maker.announce(draft, as: stored) }
    return response
  }

  private func list(_ call: Call) async throws -> Response {
    let garden = try call.identifier("id")
    let query = try call.query()
    let type = try query.word("type", InsightType.self)
    let page = try call.identifierPage(query, list: "insights:\(garden):\(type?.rawValue ?? "")")
    _ = try await self.garden(garden, for: call.user.id, as: .viewer)
    let rows =
      if let type {
        try await context.database.query(Self.byType, garden, page.before, page.rowLimit, type.rawValue)
      } else {
        try await context.database.query(Self.byGarden, garden, page.before, page.rowLimit)
      }
    return call.list(try page.body(call, rows, Insight.init))
  }

  private func show(_ call: Call) async throws -> Response {
    let (garden, id) = (try call.identifier("id"), try call.identifier("insightId"))
    _ = try await self.garden(garden, for: call.user.id, as: .viewer)
    guard let row = try await context.database.query(Self.byID, garden, id).first else {
      throw Problem(.notFound, "There is no insight with this id.")
    }
    return call.ok(try Insight(row).body)
  }

  /// Returns the garden for a user who has `role` in it. To strangers a private one does not exist, and the insights of
  /// a public one are private.
  private func garden(_ id: Identifier, for user: Identifier, as role: GardenRole) async throws -> ObservedGarden {
    guard let row = try await context.database.query(Self.garden, id, user, context.now).first else {
      throw GardenAccess.notFound
    }
    var columns = row.columns
    let garden = try ObservedGarden(&columns)
    try role.require(&columns)
    return garden
  }

  // MARK: SQL

  private static let garden = Statement(
    "insights.garden",
    """
    SELECT \(ObservedGarden.columns(at: "$3")), \(GardenRole.column(of: "$2")) FROM gardens
    WHERE id = $1 AND \(GardenRole.isVisible(to: "$2"))
    """)
  private static let byGarden = Statement(
    "insights.byGarden",
    "SELECT \(Insight.columns) FROM insights WHERE garden_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
  /// The type is compared as a range of one: where one garden has most of all insights, a plan for an equality would
  /// rather walk all of them by id.
  static let byType = Statement(
    "insights.byType",
    """
    SELECT \(Insight.columns) FROM insights
    WHERE garden_id = $1 AND type >= $4 AND (type, id) < ($4, $2) ORDER BY type DESC, id DESC LIMIT $3
    """)
  private static let byID = Statement(
    "insights.byID", "SELECT \(Insight.columns) FROM insights WHERE garden_id = $1 AND id = $2")
}

/// Which insight is to be made, and by which provider it is worded.
struct InsightRequest: JSONForm {
  let type: InsightType
  let provider: InsightProvider

  init(_ fields: inout Fields) {
    type = fields.required("type", .oneOf(InsightType.self))
    provider = fields.optional("provider", .oneOf(InsightProvider.self), "`rules` by default.") ?? .rules
  }
}

import HTTP
import JSON

/// Something that serves some of the API's paths. Each loop has its own.
package protocol EndpointGroup {
  var endpoints: [Endpoint] { get }
}

/// One row of the route table: what is served, to whom, and how it is described.
///
/// The server, `terroir routes`, `/openapi.json` and `/docs` all read this table, so that they cannot differ.
package struct Endpoint {
  /// Its operation id, which generated clients use: `listGardens`. Unique, and never changed.
  package let name: String
  package let method: HTTP.Method
  /// The path with `{name}` for each parameter.
  package let template: String
  package let access: Access
  /// What it does, in a few words.
  package let summary: String
  /// More than the summary says; may be empty.
  package let details: String
  /// The chapter of the reference that it belongs to.
  package let tag: String
  /// Query parameters and headers.
  package let parameters: [Parameter]
  /// What the request's body holds.
  package let body: Body?
  /// The longest body, in bytes; nil for `HTTP_BODY_BYTES`.
  package let bodyLimit: Int?
  /// The answer of a request that succeeds.
  package let success: Success
  /// Answers that are neither success nor a problem, such as the report of a server that is not well.
  package let reports: [Success]
  /// Refusals beside those that every endpoint of its kind may answer.
  package let refusals: [Problem.Code]
  /// Whether machines ask for it every few seconds: health and metrics.
  package let isProbe: Bool
  /// Whether it honours `If-Match`; unless it says otherwise, where it changes or deletes a resource.
  package let isGuarded: Bool
  /// The scopes of which a personal access token needs one; without any, no token opens it.
  package let scopes: [TokenScope]
  package let handler: Handler

  package init(
    _ name: String, method: HTTP.Method, template: String, access: Access, summary: String, details: String = "",
    tag: String = "",
    parameters: [Parameter] = [], body: Body? = nil, bodyLimit: Int? = nil, success: Success = Success(200),
    reports: [Success] = [], refusals: [Problem.Code] = [], isProbe: Bool = false,
    isGuarded: Bool? = nil, scopes: [TokenScope]? = nil, handler: Handler
  ) {
    self.name = name
    self.method = method
    self.template = template
    self.access = access
    self.summary = summary
    self.details = details
    self.tag = tag
    self.parameters = parameters
    self.body = body
    self.bodyLimit = bodyLimit
    self.success = success
    self.reports = reports
    self.refusals = refusals
    self.isProbe = isProbe
    self.isGuarded = isGuarded ?? (method == .patch || method == .delete)
    self.scopes = scopes ?? access.scopes(of: method)
    self.handler = handler
  }

  /// Whether its answer has no end: how long one lasts says nothing about the server.
  var isEventStream: Bool { success.mediaTypes == ["text/event-stream"] }

  /// Whether it answers with a page, which people look at.
  var isPage: Bool { success.mediaTypes == ["text/html"] }

  /// The media types of success; empty where it has no body, and for probes, which must be answered whatever they
  /// accept.
  var offeredTypes: [String] { success.status == 204 || isProbe ? [] : success.mediaTypes }

  /// How a request is answered.
  package enum Handler {
    /// At once, into the connection's buffer: for what must never wait, such as probes. Of the filters it passes only
    /// that of `Accept`, so that no rate limit holds for it.
    case sync((Call, inout ResponseWriter) -> Void)
    /// By a task on the loop, with the request's whole body.
    case async((Call) async throws -> Response)
    /// By a task on the loop that reads the body as it arrives.
    case streaming((Call) async throws -> Response)
    /// From the cache, without a task where the entry is there. `personal` answers signed-in users instead, where it is
    /// given.
    case cached((Call) throws -> CachedAnswer, personal: Personal? = nil)
    /// By the rows of one statement, without a task.
    case row((Call) throws -> RowAnswer)
  }

  /// How signed-in users are answered where others are answered from the cache.
  package enum Personal {
    case task((Call) async throws -> Response)
    case row((Call) throws -> RowAnswer)
  }

  /// A query parameter or a header.
  package struct Parameter: Sendable {
    package enum Place: String, Sendable { case query, header }
    package let name: String
    package let place: Place
    package let schema: Schema
    package let description: String
    package var isRequired = false

    package static func query(_ name: String, _ schema: Schema, _ description: String) -> Parameter {
      Parameter(name: name, place: .query, schema: schema, description: description)
    }

    package static func header(_ name: String, _ schema: Schema, _ description: String, required: Bool = false)
      -> Parameter
    {
      Parameter(name: name, place: .header, schema: schema, description: description, isRequired: required)
    }
  }

  /// The body of a request.
  package struct Body: Sendable {
    package let mediaTypes: [String]
    package let schema: Schema
    /// A body as a client would send it, as JSON text.
    package let example: String

    package init(mediaTypes: [String], schema: Schema, example: String) {
      self.mediaTypes = mediaTypes
      self.schema = schema
      self.example = example
    }

    /// A JSON object.
    package static func json(_ form: any JSONForm.Type, example: String) -> Body {
      Body(mediaTypes: ["application/json"], schema: form.schema, example: example)
    }

    /// A JSON Merge Patch (RFC 7386).
    package static func mergePatch(_ form: any JSONForm.Type, example: String) -> Body {
      Body(mediaTypes: ["application/merge-patch+json", "application/json"], schema: form.schema, example: example)
    }
  }

  /// The answer of a request that was served.
  package struct Success: Sendable {
    package let status: Int
    package let schema: Schema?
    package let mediaTypes: [String]
    /// JSON of another shape, which clients may ask for instead.
    package let variant: (mediaType: String, schema: Schema)?
    package let headers: [String]

    package init(
      _ status: Int, _ schema: Schema? = nil, mediaTypes: [String] = ["application/json"],
      variant: (mediaType: String, schema: Schema)? = nil, headers: [String] = []
    ) {
      self.status = status
      self.schema = schema
      self.mediaTypes = mediaTypes
      self.variant = variant
      self.headers = headers
    }
  }
}

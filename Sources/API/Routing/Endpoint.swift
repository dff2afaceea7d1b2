import HTTP

/// Who may call an endpoint, and what an `Authorization` header means to it.
enum Access {
  /// Anyone; `Authorization` is ignored.
  case open
  /// Anyone; who sends a bearer token is known by it, and a bad one is refused.
  case anyone
  /// A signed-in user.
  case user
  /// A signed-in user or a device.
  case userOrDevice
  /// A signed-in administrator.
  case administrator

  /// Whether anonymous callers are served.
  var isPublic: Bool { self == .open || self == .anyone }
}

/// What serves some of the API's paths. Each loop has its own.
protocol EndpointGroup {
  var endpoints: [Endpoint] { get }
}

/// One row of the route table: what is served, to whom, and how it is described.
///
/// The server, `terroir routes`, `/openapi.json` and `/docs` all read this table, so that they cannot differ.
struct Endpoint {
  let method: HTTP.Method
  /// The path with `{name}` for each parameter.
  let template: String
  let access: Access
  /// What it does, in a few words.
  let summary: String
  /// More than the summary says; may be empty.
  var details = ""
  /// The chapter of the reference it stands in.
  var tag = ""
  /// Query parameters and headers.
  var parameters: [Parameter] = []
  /// What the request's body holds.
  var body: Body?
  /// The longest body, in bytes; nil for the usual bound.
  var bodyLimit: Int?
  /// What success answers.
  var success: Success = Success(200)
  /// Answers that are neither success nor a problem, such as the report of a server that is not well.
  var reports: [Success] = []
  /// Refusals beside those that every endpoint of its kind may answer.
  var refusals: [Problem.Code] = []
  /// Whether machines ask for it every few seconds: health and metrics.
  var isProbe = false
  let handler: Handler

  /// Whether its answer has no end: how long one lasts says nothing about the server.
  var isEventStream: Bool { success.mediaTypes == ["text/event-stream"] }

  /// What success may be answered as; nothing when it has no body, and for probes, which must be answered at any rate.
  var offeredTypes: [String] { success.status == 204 || isProbe ? [] : success.mediaTypes }

  /// How a request is answered.
  enum Handler {
    /// At once, into the connection's buffer: for what never suspends.
    case sync((Call, inout ResponseWriter) -> Void)
    /// By a task on the loop, with the request's whole body.
    case async((Call) async throws -> Response)
    /// By a task on the loop that reads the body as it arrives.
    case streaming((Call) async throws -> Response)
    /// From the cache, everyone alike, without a task if it is there. Who is signed in gets what `personal` answers
    /// instead, where there is such.
    case cached((Call) throws -> CachedAnswer, personal: ((Call) async throws -> Response)? = nil)
  }

  /// A query parameter or a header.
  struct Parameter: Sendable {
    enum Place: String, Sendable { case query, header }
    let name: String
    let place: Place
    let schema: Schema
    let description: String
    var isRequired = false

    static func query(_ name: String, _ schema: Schema, _ description: String) -> Parameter {
      Parameter(name: name, place: .query, schema: schema, description: description)
    }

    static func header(_ name: String, _ schema: Schema, _ description: String, required: Bool = false) -> Parameter {
      Parameter(name: name, place: .header, schema: schema, description: description, isRequired: required)
    }
  }

  /// The body of a request.
  struct Body: Sendable {
    let mediaTypes: [String]
    let schema: Schema
    /// A body as a client would send it, as JSON text.
    let example: String

    /// A JSON object.
    static func json(_ schema: Schema, example: String) -> Body {
      Body(mediaTypes: ["application/json"], schema: schema, example: example)
    }

    /// A JSON Merge Patch (RFC 7386).
    static func mergePatch(_ schema: Schema, example: String) -> Body {
      Body(mediaTypes: ["application/merge-patch+json", "application/json"], schema: schema, example: example)
    }
  }

  /// The answer of a request that was served.
  struct Success: Sendable {
    let status: Int
    let schema: Schema?
    let mediaTypes: [String]
    let headers: [String]

    init(
      _ status: Int, _ schema: Schema? = nil, mediaTypes: [String] = ["application/json"], headers: [String] = []
    ) {
      self.status = status
      self.schema = schema
      self.mediaTypes = mediaTypes
      self.headers = headers
    }
  }
}

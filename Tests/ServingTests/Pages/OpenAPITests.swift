import Foundation
import JSON
import Testing
import Values

@testable import Reference
@testable import Serving
@testable import Settings
@testable import Web

@Suite("OpenAPI document", .blocking)
struct OpenAPITests {
  private func document() throws -> JSONValue {
    try Client(LiveServer.shared.get()).get("/openapi.json").json
  }

  @Test("has exactly the operations that are served")
  func operations() throws {
    let document = try document()
    let paths = try #require(document["paths"]?.members)
    let described = paths.flatMap { path, operations in
      (operations.members ?? []).map { "\($0.name.uppercased()) \(path)" }
    }
    let served = try served { "\($0.method.text) \($0.template)" }
    #expect(described.sorted() == served.sorted())
  }

  @Test("is made once, when it is first asked for")
  func madeLate() {
    let shelf = DocumentationShelf()
    var made = 0
    let describe = {
      made += 1
      return Documentation(of: [], version: "1")
    }
    _ = DocumentationPages(shelf: shelf, describe: describe).endpoints
    #expect(made == 0)
    #expect(shelf.documentation(describe) === shelf.documentation(describe))
    #expect(made == 1)
  }

  @Test("derives the refusals that follow from an operation's access, path, parameters, body and method")
  func derivedRefusals() throws {
    let repeated = try served { endpoint in
      let follows = Set(Endpoint.commonRefusals + endpoint.kindRefusals)
      return endpoint.refusals.filter(follows.contains).map { "\(endpoint.name): \($0.rawValue)" }
    }
    #expect(repeated.flatMap { $0 } == [])
  }

  @Test("lists the preconditions that an operation honours, and 412 only where there are some")
  func preconditions() throws {
    let document = try document()
    func operation(_ path: String, _ method: String) -> (parameters: [String], statuses: [String]) {
      let operation = document["paths"]?[path]?[method]
      return (
        operation?["parameters"]?.elements?.compactMap { $0["name"]?.text } ?? [],
        operation?["responses"]?.members?.map(\.name) ?? []
      )
    }
    #expect(operation("/api/gardens/{id}", "get").parameters == ["id", "If-None-Match"])
    let change = operation("/api/gardens/{id}", "patch")
    #expect(change.parameters.contains("If-Match") && change.statuses.contains("412"))
    for path in ["/api/sessions/current", "/api/sessions/{id}", "/api/tokens/{id}"] {
      let end = operation(path, "delete")
      #expect(!end.parameters.contains("If-Match") && !end.statuses.contains("412"))
    }
  }

  @Test("lists 403 even for what is open to anyone: a token without the scope is refused")
  func publicRefusals() throws {
    let server = try LiveServer.shared.get()
    let (client, _) = try server.signedIn()
    let made = try client.post("/api/tokens", #"{"name":"t","scopes":["orders"]}"#)
    let token = Client(server, token: try #require(try made.json["token"]?.text))
    #expect(try token.get("/api/gardens").status == 403)
    let silent = try served { endpoint in
      endpoint.access == .anyone && !endpoint.allRefusals.contains(.forbidden) ? endpoint.name : nil
    }
    #expect(silent.compactMap { $0 } == [])
  }

  @Test("has no broken references")
  func references() throws {
    let document = try document()
    var missing: [String] = []
    document.walk { value in
      guard let reference = value["$ref"]?.text else { return }
      var target: JSONValue? = document
      for name in reference.split(separator: "/").dropFirst() { target = target?[String(name)] }
      if target == nil { missing.append(reference) }
    }
    #expect(missing.isEmpty)
  }

  @Test("gives each operation a unique name, a summary and a tag")
  func names() throws {
    let identifiers = try served(\.name)
    #expect(Set(identifiers).count == identifiers.count)
    for (summary, tag) in try served({ ($0.summary, $0.tag) }) {
      #expect(!summary.isEmpty && !summary.hasSuffix(".") && !tag.isEmpty)
    }
  }

  @Test("has one shape for each name")
  func shapes() throws {
    var shapes: [String: Set<[UInt8]>] = [:]
    for schema in try served({ [$0.body?.schema, $0.success.schema] }).flatMap({ $0 }) {
      schema?.walk { name, shape in shapes[name, default: []].insert(JSONWriter.bytes(of: shape)) }
    }
    for (name, written) in shapes { #expect(written.count == 1, "\(name)") }
  }

  @Test("has example bodies that are JSON and have the required members")
  func examples() throws {
    for (path, body) in try served({ ("\($0.method.text) \($0.template)", $0.body) }) {
      guard let body, body.mediaTypes.contains(where: \.isJSON) else { continue }
      let example = try JSONReader.parse(Array(body.example.utf8))
      for name in body.schema.requiredMembers { #expect(example[name] != nil, "\(path): \(name)") }
    }
  }

  @Test("has no future times in example bodies, which would be refused once they have passed")
  func moments() throws {
    let now = Timestamp(unixMilliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
    for (path, body) in try served({ ("\($0.method.text) \($0.template)", $0.body) }) {
      guard let body, body.mediaTypes.contains(where: \.isJSON) else { continue }
      try JSONReader.parse(Array(body.example.utf8)).walk { value in
        if let moment = value.text.flatMap({ Timestamp($0) }) { #expect(moment < now, "\(path)") }
      }
    }
  }

  @Test("has an example of every answer, which fits the answer's schema")
  func successes() throws {
    for (name, success, isPage) in try served({ ($0.name, $0.success, $0.tag == "Pages") }) where !isPage {
      guard success.mediaTypes.contains(where: \.isJSON), let schema = success.schema?.item else { continue }
      // The schema of the document itself promises nothing.
      if case .any = schema { continue }
      let examples = schema.examples
      #expect(!examples.isEmpty, "\(name) has no example")
      for (shape, example) in examples {
        let value = try JSONReader.parse(Array(example.utf8))
        #expect(shape.fault(in: value) == nil, "\(name)")
      }
    }
  }

  @Test("bounds the length and the characters of every string in a body")
  func strings() throws {
    for (path, body) in try served({ ("\($0.method.text) \($0.template)", $0.body) }) {
      guard let body, body.mediaTypes.contains(where: \.isJSON) else { continue }
      body.schema.walkStrings { format, minLength, pattern in
        #expect(
          format == "uuid" || format == "date-time" || (minLength != nil && pattern != nil)
            || pattern?.hasSuffix("}$") == true, "\(path)")
      }
    }
  }

  @Test(
    "lets a merge patch name a part of a place, a price or quiet hours",
    arguments: [
      ("GardenChange", "location", 2), ("BusinessChange", "location", 2), ("ProductChange", "price", 2),
      ("ChannelChange", "quietHours", 3),
    ])
  func parts(change: String, name: String, count: Int) throws {
    let document = try document()
    var member = document["components"]?["schemas"]?[change]?["properties"]?[name]
    if let choice = member?["anyOf"]?.elements?.first { member = choice }
    let name = try #require(member?["$ref"]?.text?.split(separator: "/").last)
    let shape = try #require(document["components"]?["schemas"]?[String(name)])
    #expect(shape["properties"]?.members?.count == count && shape["required"] == nil)
  }

  @Test("describes each member of a refusal, also those about faults in a file or in readings")
  func refusals() throws {
    let device = try TestDevice(LiveServer.shared.get())
    let schemas = try #require(try document()["components"]?["schemas"])
    let problem = schemas["Problem"]?["properties"]
    func undescribed(_ value: JSONValue?, _ properties: JSONValue?) -> [String] {
      (value?.members ?? []).map(\.name).filter { properties?[$0] == nil }
    }
    let sample = Sample(type: "ph", value: 99, at: Timestamp(unixMilliseconds: 0))
    let history = "/api/devices/\(device.id)/history"
    for (refusal, list) in [
      (try device.post(device.client, [sample]), "rejected"),
      (try device.owner.send("POST", history, "sensorType,value,measuredAt\nph,x,1\n", type: "text/csv"), "errors"),
      (try device.owner.patch("/api/gardens/\(device.garden)", #"{"name":7}"#), "errors"),
    ] {
      let body = try refusal.json
      let item = try #require(body[list]?.elements?.first)
      let schema = problem?[list]?["items"]
      #expect(refusal.status == 422)
      #expect(undescribed(body, problem) == [])
      let shape = schema?["$ref"] == nil ? schema : schemas["RejectedReading"]
      #expect(undescribed(item, shape?["properties"]) == [])
    }
  }

  /// Fields of HTTP itself, which an API's document does not name.
  private static let common: Set = [
    "date", "content-type", "content-length", "transfer-encoding", "cache-control", "vary", "x-content-type-options",
  ]

  @Test("names each media type and header field of an answer, those of rate limits too")
  func fields() throws {
    let server = try LiveServer([
      "RATE_LIMIT_ANONYMOUS": "1000/60", "RATE_LIMIT_USER": "1000/60", "NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8",
    ])
    defer { server.stop() }
    let document = try document()
    func unnamed(_ method: String, _ template: String, _ reply: Reply) -> [String] {
      var answer = document["paths"]?[template]?[method]?["responses"]?["\(reply.status)"]
      if let name = answer?["$ref"]?.text?.split(separator: "/").last {
        answer = document["components"]?["responses"]?[String(name)]
      }
      let fields = Set((answer?["headers"]?.members ?? []).map { $0.name.lowercased() }).union(Self.common)
      let type = reply.header("content-type")?.split(separator: ";").first.map(String.init)
      return reply.headers.map(\.name).filter { !fields.contains($0) }
        + (type.map { answer?["content"]?[$0] == nil ? [$0] : [] } ?? [])
    }
    let (everyone, owner) = (Client(server), try server.signedIn().client)
    let (guest, _) = try server.signedIn()
    let garden = try owner.makeGarden()
    let email = try #require(try guest.get("/api/users/me").json["email"]?.text)
    let invited = try owner.post("/api/gardens/\(garden)/members", #"{"email":"\#(email)","role":"viewer"}"#)
    let token = try #require(try invited.json["token"]?.text)
    let channel = try owner.post(
      "/api/channels", #"{"kind":"webhook","target":"https://127.0.0.1:9/","events":["order"]}"#)
    let tested = try owner.post("/api/channels/\(try channel.json["id"]?.text ?? "")/test", "")
    #expect(invited.status == 201 && channel.status == 201 && tested.status == 202)
    let registration =
      #"{"email":"\#(Identifier.make(unixMilliseconds: 1))@example.org","password":"correct horse battery","displayName":"Ada"}"#
    let answers: [(String, String, Reply)] = [
      ("get", "/health", try everyone.get("/health")), ("get", "/api/health", try everyone.get("/api/health")),
      ("get", "/health", try everyone.get("/health", headers: ["Accept: application/health+json"])),
      ("post", "/api/users", try everyone.post("/api/users", registration)),
      ("get", "/api/users/me", try everyone.get("/api/users/me")),
      ("get", "/api/users/me", try owner.get("/api/users/me")),
      ("get", "/api/users/me/export", try owner.get("/api/users/me/export")),
      ("post", "/api/gardens/{id}/members", invited),
      ("post", "/api/invitations/{token}", try guest.post("/api/invitations/\(token)", "")),
      ("post", "/api/channels", channel), ("post", "/api/channels/{id}/test", tested),
      ("get", "/api/gardens", try everyone.get("/api/gardens?limit=1")),
      ("post", "/api/gardens", try owner.post("/api/gardens", "{}")),
      ("post", "/api/sessions", try everyone.post("/api/sessions", #"{"email":"a@b.cd","password":"nobody's own"}"#)),
    ]
    for (method, template, reply) in answers {
      #expect(unnamed(method, template, reply) == [], "\(method) \(template) \(reply.status)")
    }
    #expect(answers.contains { $0.2.header("ratelimit") != nil })
    #expect(answers[2].2.header("content-type") == "application/health+json")
  }

  @Test("is answered 304 while it has not changed")
  func conditional() throws {
    let client = Client(try LiveServer.shared.get())
    let tag = try #require(try client.get("/openapi.json").header("etag"))
    #expect(try client.get("/openapi.json", headers: ["If-None-Match: \(tag)"]).status == 304)
  }

  @Test("agrees with the reference page")
  func reference() throws {
    let page = try Client(LiveServer.shared.get()).get("/docs").text
    for (identifier, template) in try served({ ($0.name, $0.template) }) {
      #expect(page.contains("id=\"\(identifier)\""), "\(template)")
      #expect(page.contains("href=\"#\(identifier)\""), "\(template)")
    }
    for code in Problem.Code.allCases { #expect(page.contains("<code>\(code.rawValue)</code>")) }
  }
}

extension Schema {
  /// Calls `visit` for each named shape in it.
  fileprivate func walk(_ visit: (String, Schema) -> Void) {
    switch self {
    case .named(let name, let schema, _):
      visit(name, schema)
      schema.walk(visit)
    case .object(let properties, _, _): for property in properties { property.schema.walk(visit) }
    case .array(let schema, _, _, _), .nullable(let schema), .map(let schema): schema.walk(visit)
    case .oneOf(let schemas): for schema in schemas { schema.walk(visit) }
    default: break
    }
  }

  /// Calls `visit` for each string in it.
  fileprivate func walkStrings(_ visit: (_ format: String?, _ minLength: Int?, _ pattern: String?) -> Void) {
    switch self {
    case .string(let format, let minLength, _, let pattern): visit(format, minLength, pattern)
    case .object(let properties, _, _): for property in properties { property.schema.walkStrings(visit) }
    case .named(_, let schema, _), .array(let schema, _, _, _), .nullable(let schema), .map(let schema):
      schema.walkStrings(visit)
    case .oneOf(let schemas): for schema in schemas { schema.walkStrings(visit) }
    default: break
    }
  }

  fileprivate var requiredMembers: [String] {
    switch self {
    case .named(_, let schema, _): schema.requiredMembers
    case .object(let properties, _, _): properties.filter(\.isRequired).map(\.name)
    default: []
    }
  }
}

import JSON
import Testing

/// What client generators need beyond a correct document: https://openapi-generator.tech and others.
@Suite("OpenAPI document, for client generators", .blocking)
struct ClientGeneratorsTests {
  private func document() throws -> JSONValue {
    try Client(LiveServer.shared.get()).get("/openapi.json").json
  }

  @Test("marks an integer as 64-bit wherever its bounds allow more than 32 bits")
  func integers() throws {
    var (count, unsaid) = (0, [String]())
    try document().walk { schema in
      guard schema["type"]?.text == "integer" || schema["type"]?.elements?.first?.text == "integer" else { return }
      count += 1
      let isSmall =
        (schema["minimum"]?.integer).map { $0 >= Int32.min } ?? false
        && (schema["maximum"]?.integer).map { $0 <= Int32.max } ?? false
      if (schema["format"]?.text == "int64") == isSmall { unsaid.append("\(schema)") }
    }
    #expect(count > 30 && unsaid == [])
  }

  @Test("marks every number as a double: otherwise Go clients would keep seven digits of it")
  func numbers() throws {
    var (count, unsaid) = (0, [String]())
    try document().walk { schema in
      guard schema["type"]?.text == "number" || schema["type"]?.elements?.first?.text == "number" else { return }
      count += 1
      if schema["format"]?.text != "double" { unsaid.append("\(schema)") }
    }
    #expect(count > 50 && unsaid == [])
  }

  @Test("uses oneOf for a choice of shapes: from anyOf, clients make one shape with the members of all")
  func choices() throws {
    var (choices, mixtures) = (0, [String]())
    try document().walk { schema in
      if schema["oneOf"]?.elements != nil { choices += 1 }
      guard let shapes = schema["anyOf"]?.elements else { return }
      if !(shapes.count == 2 && shapes[1]["type"]?.text == "null") { mixtures.append("\(schema)") }
    }
    #expect(choices == 4 && mixtures == [])
  }

  @Test("names no schema like a Go client's constructor of another: NewGarden is the function that makes a Garden")
  func names() throws {
    let names = try #require(try document()["components"]?["schemas"]?.members).map(\.name)
    let constructors = Set(names.map { "New" + $0 })
    #expect(names.count > 80 && names.filter(constructors.contains) == [])
  }

  @Test("has no schema that no operation refers to, of which clients would make an unused type")
  func orphans() throws {
    let document = try document()
    let reached = document.schemas(of: document["paths"])
    #expect(document["components"]?["schemas"]?.members?.map(\.name).filter { !reached.contains($0) } == [])
  }

  @Test("closes request bodies, of which the server refuses other members, and leaves answers open, which may grow")
  func growth() throws {
    let document = try document()
    func objects(of part: JSONValue?, closed: Bool) -> Int {
      var count = 0
      part?.walk { schema in
        guard schema["properties"]?.members != nil else { return }
        if (schema["additionalProperties"]?.bool == false) == closed { count += 1 }
      }
      return count
    }
    let operations = (document["paths"]?.members ?? []).flatMap { ($0.value.members ?? []).map(\.value) }
    let (bodies, answers) = (operations.map { $0["requestBody"] }, operations.map { $0["responses"] })
    let sent = bodies.reduce(into: Set()) { $0.formUnion(document.schemas(of: $1)) }
    var (closed, open) = (0, 0)
    for (name, schema) in document["components"]?["schemas"]?.members ?? [] {
      #expect(objects(of: schema, closed: !sent.contains(name)) == 0, "\(name)")
      closed += objects(of: schema, closed: true)
      open += objects(of: schema, closed: false)
    }
    #expect(closed > 30 && open > 50)
    for body in bodies { #expect(objects(of: body, closed: false) == 0) }
    for answer in answers { #expect(objects(of: answer, closed: true) == 0) }
    let description = try #require(document["info"]?["description"]?.text)
    #expect(description.contains("A later release may add members to answers"))
  }

  @Test("names the schemas of a stream's events, for which OpenAPI has no place")
  func events() throws {
    let document = try document()
    let stream = try #require(document["paths"]?["/api/gardens/{id}/events"]?["get"]?["description"]?.text)
    let schemas = try #require(document["components"]?["schemas"])
    for (event, name) in [("reading", "GardenReading"), ("insight", "Insight")] {
      #expect(stream.contains("`event: \(event)`") && stream.contains("`\(name)`") && schemas[name] != nil)
    }
  }

  @Test("describes a parameter that may be repeated as an array, so that clients can send several")
  func lists() throws {
    let parameters = try document()["paths"]?["/readyz"]?["get"]?["parameters"]?.elements
    let exclude = try #require(parameters?.first { $0["name"]?.text == "exclude" })
    #expect(exclude["schema"]?["type"]?.text == "array" && exclude["schema"]?["items"]?["type"]?.text == "string")
  }

  @Test(
    "describes routes that also serve clients which accept only their problems",
    arguments: ["application/problem+json", "text/html;q=0.5, application/PROBLEM+json;q=0.1"])
  func acceptance(accept: String) throws {
    let device = try TestDevice(LiveServer.shared.get())
    let garden = "/api/gardens/\(device.garden)"
    for (method, path, type) in [
      ("HEAD", "\(garden)/events", "text/event-stream"), ("GET", "/metrics", "text/plain"),
      ("GET", "/api/users/me/export", "application/x-ndjson"), ("GET", device.path, "application/json"),
      ("GET", garden, "application/json"), ("GET", "/version", "application/json"),
    ] {
      let reply = try device.owner.send(method, path, nil, headers: ["Accept: \(accept)"])
      #expect(reply.status == 200, "\(path)")
      #expect(reply.header("content-type")?.hasPrefix(type) == true, "\(path)")
      for refused in ["image/png", "application/problem+json;q=0", "application/problem"] {
        let reply = try device.owner.send(method, path, nil, headers: ["Accept: \(refused)"])
        #expect(reply.status == 406, "\(path) \(refused)")
      }
    }
  }
}

extension JSONValue {
  /// The names of this document's schemas to which references lead from a part of it.
  fileprivate func schemas(of part: JSONValue?) -> Set<String> {
    var found: Set<String> = []
    func follow(_ part: JSONValue?) {
      part?.walk { value in
        guard let reference = value["$ref"]?.text, found.insert(reference).inserted else { return }
        follow(reference.split(separator: "/").dropFirst().reduce(self) { $0?[String($1)] })
      }
    }
    follow(part)
    let place = "#/components/schemas/"
    return Set(found.filter { $0.hasPrefix(place) }.map { String($0.dropFirst(place.count)) })
  }
}

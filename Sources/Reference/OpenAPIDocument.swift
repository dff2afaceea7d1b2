import HTTP
import JSON
import Web

/// The OpenAPI 3.1 document of the route table.
package struct OpenAPIDocument {
  /// What the document says of the whole API, in Markdown.
  static let description = """
    Terroir is a self-hosted API for a local-food community: gardens, sensors, readings, insights, shops and orders.

    - Requests and answers are JSON. Unknown members are refused (422); a problem lists all faults of a body at once.
    - A later release may add members to answers and values to enumerations: ignore those that you do not know.
      Only schemas that requests use are closed (`additionalProperties: false`).
    - Errors are `application/problem+json` (RFC 9457); `type` is stable, `requestId` finds the log line.
      Where a page was asked for, or nothing is at the path, a client that prefers `text/html` gets them as a page.
    - Sign in with `POST /api/sessions` and send the access token as `Authorization: Bearer …`; devices send their key.
    - Lists take `limit` and `cursor`; `nextCursor` and `Link` lead to the next page.
    - Answers carry an `ETag`: send it as `If-None-Match` to save the body, as `If-Match` to change only what you saw.
    """

  package let endpoints: [Endpoint]
  package let version: String

  package init(endpoints: [Endpoint], version: String) {
    self.endpoints = endpoints
    self.version = version
  }

  /// The document's text.
  package func bytes() -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("openapi", "3.1.0")
      json.key("info")
      json.object { json in
        json.member("title", "Terroir")
        json.member("version", version)
        json.member("description", Self.description)
        json.key("license")
        json.raw(#"{"name":"Apache-2.0","identifier":"Apache-2.0"}"#)
      }
      json.key("servers")
      json.raw(#"[{"url":"/","description":"This server"}]"#)
      writeTags(to: &json)
      writePaths(to: &json)
      writeComponents(to: &json)
    }
    return json.take()
  }

  /// The chapters, in the order in which the table first names them.
  static func tags(of endpoints: [Endpoint]) -> [String] {
    endpoints.reduce(into: []) { tags, endpoint in
      if !tags.contains(endpoint.tag) { tags.append(endpoint.tag) }
    }
  }

  /// The named shapes of requests and answers, by name.
  static func schemas(of endpoints: [Endpoint]) -> [(name: String, schema: Schema)] {
    var found: [String: Schema] = [:]
    for endpoint in endpoints {
      endpoint.body?.schema.collectNamed(into: &found)
      endpoint.success.schema?.collectNamed(into: &found)
      endpoint.success.variant?.schema.collectNamed(into: &found)
      for parameter in endpoint.parameters { parameter.schema.collectNamed(into: &found) }
    }
    return found.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
  }

  private func writeTags(to json: inout JSONWriter) {
    json.key("tags")
    json.array { json in
      for tag in Self.tags(of: endpoints) { json.object { json in json.member("name", tag) } }
    }
  }

  private func writePaths(to json: inout JSONWriter) {
    var templates: [String] = []
    var byTemplate: [String: [Endpoint]] = [:]
    for endpoint in endpoints {
      if byTemplate[endpoint.template] == nil { templates.append(endpoint.template) }
      byTemplate[endpoint.template, default: []].append(endpoint)
    }
    json.key("paths")
    json.object { json in
      for template in templates {
        json.key(template)
        json.object { json in
          for endpoint in byTemplate[template] ?? [] { endpoint.writeOperation(to: &json) }
        }
      }
    }
  }

  private func writeComponents(to json: inout JSONWriter) {
    json.key("components")
    json.object { json in
      json.key("securitySchemes")
      json.raw(Self.securitySchemes)
      json.key("headers")
      json.raw(Self.headers)
      json.key("schemas")
      json.object { json in
        json.key("Problem")
        json.raw(Self.problem)
        for (name, schema) in Self.schemas(of: endpoints) {
          json.key(name)
          schema.writeDefinition(to: &json)
        }
      }
      json.key("responses")
      json.object { json in
        for (status, codes) in Self.commonProblems {
          json.key(Self.problemName(status))
          Endpoint.writeProblem(status, codes, to: &json)
        }
      }
    }
  }

  /// The problems that many endpoints answer alike, by status.
  static let commonProblems: [(status: Int, codes: [Problem.Code])] = grouped(
    Endpoint.commonRefusals + [.unauthorized, .forbidden, .notFound, .notAcceptable, .preconditionFailed, .validation])

  /// Groups codes by their status, in rising order.
  static func grouped(_ codes: [Problem.Code]) -> [(status: Int, codes: [Problem.Code])] {
    Dictionary(grouping: codes, by: \.status).map { ($0.key, $0.value) }.sorted { $0.status < $1.status }
  }

  static func problemName(_ status: Int) -> String { "Problem\(status)" }
}

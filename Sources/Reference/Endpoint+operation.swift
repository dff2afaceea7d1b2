import HTTP
import JSON
import Web

/// An endpoint as an operation of the OpenAPI document.
extension Endpoint {
  /// Writes the operation as a member named by its method.
  func writeOperation(to json: inout JSONWriter) {
    json.key(method.text.lowercased())
    json.object { json in
      json.member("operationId", name)
      json.member("summary", summary)
      if !details.isEmpty { json.member("description", details) }
      json.member("tags", [tag])
      json.key("security")
      writeSecurity(to: &json)
      writeParameters(to: &json)
      if let body { write(body, to: &json) }
      json.key("responses")
      json.object { json in
        writeSuccess(to: &json)
        for (status, codes) in OpenAPIDocument.grouped(allRefusals) { writeRefusal(status, codes, to: &json) }
      }
    }
  }

  /// The OpenAPI security requirements, one of which has to be met. The scopes of tokens are written as roles.
  private func writeSecurity(to json: inout JSONWriter) {
    json.array { json in
      if access == .open { return }
      if access == .anyone { json.object { _ in } }
      func require(_ scheme: StaticString, roles: [String] = [], _ json: inout JSONWriter) {
        json.object { $0.member(scheme, roles) }
      }
      if access != .device { require("accessToken", &json) }
      for scope in scopes { require("personalToken", roles: [scope.rawValue], &json) }
      if access.admitsDevices { require("deviceKey", &json) }
    }
  }

  private func writeParameters(to json: inout JSONWriter) {
    let named = parameters + conditions
    if pathParameters.isEmpty && named.isEmpty { return }
    json.key("parameters")
    json.array { json in
      for name in pathParameters {
        json.object { json in
          json.member("name", name)
          json.member("in", "path")
          json.member("required", true)
          json.member("schema", Self.pathSchema(name))
        }
      }
      for parameter in named {
        json.object { json in
          json.member("name", parameter.name)
          json.member("in", parameter.place.rawValue)
          json.member("description", parameter.description)
          if parameter.isRequired { json.member("required", true) }
          json.member("schema", parameter.schema)
        }
      }
    }
  }

  /// Whether the path parameter `name` is a word, not an id.
  static func isWord(_ name: String) -> Bool { name == "name" || name == "token" }

  /// The shape of the path parameter `name`: an id, unless it is a word.
  static func pathSchema(_ name: String) -> Schema { isWord(name) ? .string(minLength: 1) : .identifier }

  private func write(_ body: Body, to json: inout JSONWriter) {
    json.key("requestBody")
    json.object { json in
      json.member("required", true)
      json.key("content")
      json.object { json in
        for mediaType in body.mediaTypes {
          json.key(mediaType)
          json.object { json in
            json.member("schema", mediaType.isJSON ? body.schema : .string())
            guard body.mediaTypes.first == mediaType || mediaType.isJSON else { return }
            json.key("example")
            if mediaType.isJSON { json.raw(Array(body.example.utf8)) } else { json.string(body.example) }
          }
        }
      }
    }
  }

  private func writeSuccess(to json: inout JSONWriter) {
    json.key(String(success.status))
    json.object { json in
      json.member("description", Status(rawValue: UInt16(success.status)).reason)
      Self.writeHeaders(successHeaders, to: &json)
      guard success.hasBody else { return }
      json.key("content")
      json.object { json in success.writeContent(to: &json) }
    }
    guard isConditional else { return }
    json.key("304")
    json.object { json in
      json.member("description", "The copy that If-None-Match names is current")
      Self.writeHeaders(["ETag"] + rateHeaders + ["XRequestId"], to: &json)
    }
  }

  /// The header components that the answer of success refers to.
  private var successHeaders: [String] {
    var names = ["XRequestId"] + rateHeaders + success.headers
    if success.status == 201 && !names.contains("Location") { names.append("Location") }
    return names
  }

  /// The header components of rate limits; none for probes, which have no limits.
  private var rateHeaders: [String] { isProbe ? [] : Self.rateHeaders }
  private static let rateHeaders = ["RateLimit", "RateLimitPolicy"]

  private static func writeHeaders(_ names: [String], to json: inout JSONWriter) {
    json.key("headers")
    json.object { json in
      for name in names {
        json.key(Self.fieldName(name))
        json.object { json in json.member("$ref", "#/components/headers/\(name)") }
      }
    }
  }

  private static func fieldName(_ component: String) -> String {
    switch component {
    case "ContentDisposition": "Content-Disposition"
    case "RateLimitPolicy": "RateLimit-Policy"
    case "XRequestId": "X-Request-Id"
    case "RetryAfter": "Retry-After"
    case "WWWAuthenticate": "WWW-Authenticate"
    default: component
    }
  }

  private func writeRefusal(_ status: Int, _ codes: [Problem.Code], to json: inout JSONWriter) {
    json.key(String(status))
    if let report = reports.first(where: { $0.status == status }) {
      Self.writeProblem(status, codes, beside: report, to: &json)
    } else if let common = OpenAPIDocument.commonProblems.first(where: { $0.status == status }),
      Set(common.codes) == Set(codes)
    {
      json.object { json in json.member("$ref", "#/components/responses/\(OpenAPIDocument.problemName(status))") }
    } else {
      Self.writeProblem(status, codes, to: &json)
    }
  }

  /// Writes the answer of a refusal with `codes`.
  static func writeProblem(
    _ status: Int, _ codes: [Problem.Code], beside report: Success? = nil, to json: inout JSONWriter
  ) {
    json.object { json in
      json.member("description", codes.map { "\($0.title) (`\($0.rawValue)`)" }.joined(separator: " · "))
      var headers = ["XRequestId"] + rateHeaders
      if status == 401 { headers.append("WWWAuthenticate") }
      if status == 429 || status == 503 { headers.append("RetryAfter") }
      writeHeaders(headers, to: &json)
      json.key("content")
      json.object { json in
        report?.writeContent(to: &json)
        json.key("application/problem+json")
        json.raw(##"{"schema":{"$ref":"#/components/schemas/Problem"}}"##)
      }
    }
  }
}

extension Endpoint.Success {
  /// Whether there is a body to describe.
  fileprivate var hasBody: Bool { schema != nil || !mediaTypes.allSatisfy(\.isJSON) }

  /// Writes each media type with its shape; what is not JSON is a string.
  fileprivate func writeContent(to json: inout JSONWriter) {
    for mediaType in mediaTypes {
      json.key(mediaType)
      json.object { json in json.member("schema", mediaType.isJSON ? schema ?? .any : .string()) }
    }
    guard let variant else { return }
    json.key(variant.mediaType)
    json.object { json in json.member("schema", variant.schema) }
  }
}

extension Access {
  /// Whether a device's key authenticates a call.
  fileprivate var admitsDevices: Bool { self == .anyone || self == .device || self == .userOrDevice }
}

extension HTTP.Method {
  /// The name as a string.
  var text: String { name.withUTF8Buffer { String(decoding: $0, as: UTF8.self) } }
}

extension String {
  /// Whether a media type is JSON by its name.
  var isJSON: Bool { self == "application/json" || hasSuffix("+json") }
}

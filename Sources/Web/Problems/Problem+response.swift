import HTTP
import JSON

extension Problem {
  /// The media type of problems (RFC 9457, section 3).
  static let mediaType = "application/problem+json"

  /// The answer to the request with path `instance` and id `requestID`.
  func response(instance: String, requestID: String) -> Response {
    var fields: HeaderList = ["Content-Type": Self.mediaType, "Cache-Control": "no-store"]
    for header in headers { fields.append(header.name, header.value) }
    return Response(
      Status(rawValue: UInt16(code.status)), headers: fields,
      body: .bytes(body(instance: instance, requestID: requestID)))
  }

  private func body(instance: String, requestID: String) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("type", "urn:terroir:problem:\(code.rawValue)")
      json.member("title", code.title)
      json.member("status", code.status)
      json.member("detail", detail)
      json.member("instance", instance)
      json.member("requestId", requestID)
      for member in extensions {
        json.key(member.name)
        json.raw(member.json)
      }
      guard !faults.isEmpty else { return }
      json.key("errors")
      json.array { json in
        for fault in faults {
          json.object { json in
            json.member("pointer", fault.pointer)
            json.member("detail", fault.detail)
          }
        }
      }
    }
    return json.take()
  }
}

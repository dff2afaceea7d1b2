import HTTP

/// A page, script, style or document, made once and sent as it is, with a strong tag; clients revalidate it each time.
package final class WebFile: Sendable {
  /// Pages load only what this server serves, and no page may frame them.
  static let contentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private static let protection: HeaderList = [
    "Content-Security-Policy": contentSecurityPolicy, "Referrer-Policy": "no-referrer",
  ]

  private let bytes: SharedBytes
  private let tag: EntityTag
  private let fields: HeaderList
  /// The fields of an answer that depends on who asks.
  private let personalFields: HeaderList
  private let mediaType: String

  package init(_ mediaType: String, _ bytes: [UInt8]) {
    self.bytes = SharedBytes(bytes)
    self.mediaType = mediaType
    tag = EntityTag(of: bytes)
    var (shared, personal): (HeaderList, HeaderList) = (
      ["Cache-Control": "no-cache"],
      [
        "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie",
      ]
    )
    var common: HeaderList = ["ETag": tag.strong]
    common.append(Self.protection)
    shared.append(common)
    personal.append(common)
    (fields, personalFields) = (shared, personal)
  }

  /// Makes the file of an asset, which must be one that is served by itself.
  package convenience init(_ asset: Asset) {
    guard let mediaType = asset.mediaType else { preconditionFailure("\(asset.name) is a piece of a page") }
    self.init(mediaType, asset.bytes)
  }

  /// The file with `status`, or 304 if the client has it. `isPersonal` says that other clients would get something
  /// else.
  package func response(to request: Request, _ status: Status = .ok, isPersonal: Bool = false) -> Response {
    var headers = isPersonal ? personalFields : fields
    if status == .ok, let field = request.headerList("If-None-Match"), tag.isNamed(ifNoneMatch: field) {
      return Response(.notModified, headers: headers)
    }
    headers.append("Content-Type", mediaType)
    return Response(status, headers: headers, body: .shared(bytes))
  }

  /// The file as the answer to this one request, which no cache keeps.
  func unkept(_ status: Status) -> Response {
    var headers = Self.protection
    headers.append("Cache-Control", "no-store")
    headers.append("Content-Type", mediaType)
    return Response(status, headers: headers, body: .shared(bytes))
  }
}

extension Endpoint.Success {
  /// A page.
  package static let page = Endpoint.Success(200, .string(), mediaTypes: ["text/html"], headers: ["ETag"])
}

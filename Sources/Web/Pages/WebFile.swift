import HTTP

/// A page, script, style or document, made once and sent as it is: with a strong tag, to be asked for again each time.
package final class WebFile: Sendable {
  /// Pages run and show nothing but what this server gave them, and stand in nobody's frame.
  static let contentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private let bytes: SharedBytes
  private let tag: EntityTag
  private let fields: HeaderList
  private let mediaType: String

  package init(_ mediaType: String, _ bytes: [UInt8]) {
    self.bytes = SharedBytes(bytes)
    self.mediaType = mediaType
    tag = EntityTag(of: bytes)
    fields = [
      "ETag": tag.strong, "Cache-Control": "no-cache", "Content-Security-Policy": Self.contentSecurityPolicy,
      "Referrer-Policy": "no-referrer",
    ]
  }

  /// The file of the pages.
  package convenience init(_ asset: Asset) {
    guard let mediaType = asset.mediaType else { preconditionFailure("\(asset.name) is a piece of a page") }
    self.init(mediaType, asset.bytes)
  }

  /// The file with that status, or 304 if the client has it.
  package func response(to request: Request, _ status: Status = .ok) -> Response {
    if status == .ok, let field = request.header("If-None-Match"), tag.isNamed(ifNoneMatch: field) {
      return Response(.notModified, headers: fields)
    }
    var headers = fields
    headers.append("Content-Type", mediaType)
    return Response(status, headers: headers, body: .shared(bytes))
  }
}

extension Endpoint.Success {
  /// A page.
  package static let page = Endpoint.Success(200, .string(), mediaTypes: ["text/html"], headers: ["ETag"])
}

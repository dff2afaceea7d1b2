import HTTP

extension Problem {
  /// After how many seconds a browser loads a page again that could not be served at the moment.
  private static let reloadSeconds = 10

  /// The answer to a request that a person may have made: a page for a client that prefers HTML, as a browser does that
  /// navigates, and JSON for all others.
  func response(preferredBy request: Request, requestID: String) -> Response {
    let offered = [Self.mediaType, "text/html"]
    let isPage = Accept.choose(request.headerList("Accept"), from: offered) == offered[1]
    var response = isPage ? page : response(instance: request.path, requestID: requestID)
    response.headers.append("Vary", "Accept")
    return response
  }

  /// The answer as a page.
  private var page: Response {
    let isPassing = code.status == 503
    let title = isPassing ? "Back in a moment" : code == .notFound ? "Nothing here" : code.title
    var way = HTMLWriter()
    if isPassing { way.element("p") { html in html.element("a", ["href": ""], "Load it again") } }
    var response = PageShell.notice(title, detail, way: way.bytes).unkept(Status(rawValue: UInt16(code.status)))
    for header in headers { response.headers.append(header.name, header.value) }
    if isPassing { response.headers.append("Refresh", "\(Self.reloadSeconds)") }
    return response
  }
}

/// What a route does with a request's body.
package enum BodyPolicy: Equatable, Sendable {
  /// The route takes no body; a small one is read and dropped.
  case none
  /// The whole body is read before the handler is called; a longer one than `limit` bytes is 413.
  case buffered(limit: Int)
  /// The handler is called at once and takes the body piece by piece; a longer one than `limit` bytes is 413.
  case streamed(limit: Int)
}

/// What the server has to know of a route beside its handler.
package struct RouteOptions: Sendable {
  package var body: BodyPolicy

  package init(body: BodyPolicy = .none) { self.body = body }
}

/// What answers a request.
package enum RouteHandler {
  /// Answers at once, right into the connection's output: for what never suspends.
  case sync((Request, inout ResponseWriter) -> Void)
  /// Answers some time later, on the loop. The request is the handler's until it has returned.
  case async((Request) async throws -> Response)
}

/// A method and a template of paths, and what answers them. Belongs to one loop, as its handler does.
package final class Route {
  package let method: Method
  /// The path with parameters in braces, such as `/api/orders/{id}`: what metrics and logs name the route by.
  package let template: String
  package let options: RouteOptions
  /// Which of both handlers is the route's.
  let isSync: Bool
  // Both there, because calling a closure within an enumeration or an optional counts a reference to it.
  let syncHandler: (Request, inout ResponseWriter) -> Void
  let asyncHandler: (Request) async throws -> Response
  /// The names between the braces, in the order of the path.
  let parameterNames: [String]
  /// Whatever the application wants to find again with the route, such as its metrics.
  package var attachment: AnyObject? {
    get { keptAttachment }
    set { keptAttachment = newValue }
  }
  @exclusivity(unchecked) private var keptAttachment: AnyObject?

  init(_ method: Method, _ template: PathTemplate, _ options: RouteOptions, _ handler: RouteHandler) {
    self.method = method
    self.template = template.text
    self.options = options
    switch handler {
    case .sync(let handler):
      (isSync, syncHandler) = (true, handler)
      asyncHandler = { _ in preconditionFailure("the route answers at once") }
    case .async(let handler):
      (isSync, asyncHandler) = (false, handler)
      syncHandler = { _, _ in preconditionFailure("the route answers later") }
    }
    parameterNames = template.parameterNames
  }
}

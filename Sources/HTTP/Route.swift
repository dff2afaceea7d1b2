/// What a route does with a request's body.
package enum BodyPolicy: Equatable, Sendable {
  /// The route takes no body; a small one is read and dropped.
  case none
  /// The whole body is read before the handler is called; a body longer than `limit` bytes is 413.
  case buffered(limit: Int)
  /// The handler is called at once and takes the body piece by piece; a body longer than `limit` bytes is 413.
  case streamed(limit: Int)
}

/// What the server has to know of a route besides its handler.
package struct RouteOptions: Sendable {
  package var body: BodyPolicy

  package init(body: BodyPolicy = .none) { self.body = body }
}

/// The code that answers a request, in one of three forms.
package enum RouteHandler {
  /// Answers at once, directly into the connection's output: for handlers that never suspend.
  case sync((Request, inout ResponseWriter) -> Void)
  /// Answers in a task on the loop. The request is the handler's until it returns.
  case async((Request) async throws -> Response)
  /// Answers on the loop at once or later, without a task: for handlers that wait for one thing only. The request is
  /// the handler's until it has given the answer.
  case deferred((Request, DeferredAnswer) -> Void)
}

/// A method and a template of paths, and what answers them. Belongs to one loop, as its handler does.
package final class Route {
  package let method: Method
  /// The path with parameters in braces, such as `/api/orders/{id}`; metrics and logs name the route by it.
  package let template: String
  package let options: RouteOptions
  /// Which of the three handlers is used.
  let kind: Kind
  // All three are set, because calling a closure within an enumeration or an optional counts a reference to it.
  let syncHandler: (Request, inout ResponseWriter) -> Void
  let asyncHandler: (Request) async throws -> Response
  let deferredHandler: (Request, DeferredAnswer) -> Void
  /// The names between the braces, in the order of the path.
  let parameterNames: [String]
  /// Whatever the application wants to find again with the route, such as its metrics.
  package var attachment: AnyObject? {
    get { keptAttachment }
    set { keptAttachment = newValue }
  }
  @exclusivity(unchecked) private var keptAttachment: AnyObject?
  /// Called before the buffered body of a request is read, unless the body came with the head. If it throws, the error
  /// is answered, and the body is neither asked for nor read.
  package var admission: ((Request) async throws -> Void)?

  init(_ method: Method, _ template: PathTemplate, _ options: RouteOptions, _ handler: RouteHandler) {
    self.method = method
    self.template = template.text
    self.options = options
    var (sync, async, deferred) = Self.otherHandlers
    switch handler {
    case .sync(let handler): (kind, sync) = (.sync, handler)
    case .async(let handler): (kind, async) = (.async, handler)
    case .deferred(let handler): (kind, deferred) = (.deferred, handler)
    }
    (syncHandler, asyncHandler, deferredHandler) = (sync, async, deferred)
    parameterNames = template.parameterNames
  }

  enum Kind { case sync, async, deferred }

  /// Stand-ins for the handlers that a route does not have.
  private static var otherHandlers:
    (
      (Request, inout ResponseWriter) -> Void, (Request) async throws -> Response, (Request, DeferredAnswer) -> Void
    )
  {
    (
      { _, _ in preconditionFailure("the route's handler is not synchronous") },
      { _ in preconditionFailure("the route's handler is not asynchronous") },
      { _, _ in preconditionFailure("the route's handler is not a deferred one") }
    )
  }
}

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
  /// Answers at once or some time later, on the loop, without a task: for what waits for one thing only. The request
  /// is the handler's until it has given the answer.
  case deferred((Request, DeferredAnswer) -> Void)
}

/// A method and a template of paths, and what answers them. Belongs to one loop, as its handler does.
package final class Route {
  package let method: Method
  /// The path with parameters in braces, such as `/api/orders/{id}`: what metrics and logs name the route by.
  package let template: String
  package let options: RouteOptions
  /// Which of the handlers is the route's.
  let kind: Kind
  // All there, because calling a closure within an enumeration or an optional counts a reference to it.
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
  /// Decides on a request whose buffered body is still to come: what it throws is answered, and the body neither asked
  /// for nor read.
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

  /// In the place of those that a route does not have.
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

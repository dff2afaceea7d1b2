/// Finds the route of a request by its path and method.
///
/// Paths without parameters are found in one look at a hash table; the others by walking a tree of segments, in which
/// a literal goes before a parameter. Paths are compared as they were sent: dot segments and needless escapes are not
/// resolved, they just match nothing.
package final class Router {
  /// What was found for a request.
  enum Match {
    case route(Route)
    case notFound
    /// The path is served, but not by that method; the value is for the Allow field.
    case methodNotAllowed(allow: String)
    /// An OPTIONS request that no route of its own answers.
    case options(allow: String)
    /// The server does not know the method.
    case notImplemented
  }

  /// All routes, in the order in which they were added.
  package private(set) var routes: [Route] = []

  private var literals = LiteralPaths()
  private var tree = SegmentTree()
  private var endpoints: [Endpoint] = []

  package init() {}

  /// Adds a route. Adding the same method and path twice is a mistake in the program, and traps.
  @discardableResult
  package func add(
    _ method: Method, _ template: String, options: RouteOptions = RouteOptions(), _ handler: RouteHandler
  ) -> Route {
    let template = PathTemplate(template)
    let route = Route(method, template, options, handler)
    endpoint(for: template).add(route)
    routes.append(route)
    return route
  }

  /// Adds a route that answers at once.
  @discardableResult
  package func sync(
    _ method: Method, _ template: String, options: RouteOptions = RouteOptions(),
    _ handler: @escaping (Request, inout ResponseWriter) -> Void
  ) -> Route {
    add(method, template, options: options, .sync(handler))
  }

  /// Adds a route that answers some time later.
  @discardableResult
  package func async(
    _ method: Method, _ template: String, options: RouteOptions = RouteOptions(),
    _ handler: @escaping (Request) async throws -> Response
  ) -> Route {
    add(method, template, options: options, .async(handler))
  }

  /// Finds what serves a path, and notes in `parameters` where the path has the route's parameters.
  @inline(__always)
  func match(_ method: Method, _ path: RawSpan, _ parameters: inout PathParameters) -> Match {
    if method.rawValue >= Method.connect.rawValue { return .notImplemented }
    guard let index = literals.find(path) ?? tree.find(path, &parameters) else { return .notFound }
    let endpoint = endpoints[index]
    if let route = endpoint.route(method) { return .route(route) }
    return method == .options ? .options(allow: endpoint.allow) : .methodNotAllowed(allow: endpoint.allow)
  }

  private func endpoint(for template: PathTemplate) -> Endpoint {
    let next = endpoints.count
    let index = template.isLiteral ? literals.insert(template.text, next) : tree.insert(template, next)
    if index == next { endpoints.append(Endpoint()) }
    return endpoints[index]
  }
}

/// The routes of one path, by method.
final class Endpoint {
  private var routes = [Route?](repeating: nil, count: Method.allCases.count)
  /// The methods that the path answers to, for the Allow field.
  private(set) var allow = ""

  func add(_ route: Route) {
    precondition(routes[Int(route.method.rawValue)] == nil, "a route is added twice: \(route.template)")
    routes[Int(route.method.rawValue)] = route
    let allowed = Method.allCases.filter { $0 == .options || self.route($0) != nil }
    allow = allowed.map(\.name.description).joined(separator: ", ")
  }

  /// The route for a method; GET's serves HEAD (RFC 9110, section 9.3.2).
  @inline(__always)
  func route(_ method: Method) -> Route? {
    if let route = routes[Int(method.rawValue)] { return route }
    return method == .head ? routes[Int(Method.get.rawValue)] : nil
  }
}

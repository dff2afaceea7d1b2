/// Finds the route of a request by its path and method.
///
/// Paths without parameters are found in one look at a hash table; the others by walking a tree of segments, in which a
/// literal goes before a parameter. Paths are compared as they were sent: dot segments and needless escapes are not
/// resolved, and match nothing.
package final class RouteTable {
  /// What was found for a request.
  package enum Match {
    case route(Unmanaged<Route>)
    case notFound
    /// The path is served, but not by that method; the value is for the Allow field.
    case methodNotAllowed(allow: String)
    /// An OPTIONS request for a path that has no OPTIONS route.
    case options(allow: String)
    /// The server does not know the method.
    case notImplemented
  }

  @exclusivity(unchecked) private var literals = LiteralPaths()
  @exclusivity(unchecked) private var tree = SegmentTree()
  /// The routes of each path by method, one path after another, in memory of its own so that finding one counts no
  /// references.
  @exclusivity(unchecked) private var routes = UnsafeMutableBufferPointer<Unmanaged<Route>?>(start: nil, count: 0)
  private var owned: [Route] = []
  /// The methods that each path answers to, for the Allow field.
  private var allows: [String] = []

  private static let methods = Int(Method.other.rawValue) + 1

  deinit {
    literals.deallocate()
    routes.deallocate()
  }

  func add(_ route: Route, _ template: PathTemplate) {
    let next = allows.count
    let path = template.isLiteral ? literals.insert(template.text, next) : tree.insert(template, next)
    if path == next { addPath() }
    let index = path * Self.methods + Int(route.method.rawValue)
    precondition(routes[index] == nil, "a route is added twice: \(route.template)")
    owned.append(route)
    routes[index] = .passUnretained(route)
    allows[path] = Self.allow { $0 == .options || self.route(path, $0) != nil }
  }

  /// The methods of all paths together, which `OPTIONS *` asks for (RFC 9110, section 9.3.7).
  var allow: String {
    Self.allow { method in
      method == .options || owned.contains { $0.method == method || method == .head && $0.method == .get }
    }
  }

  /// The value of an Allow field.
  private static func allow(_ isAllowed: (Method) -> Bool) -> String {
    Method.allCases.filter(isAllowed).map(\.name.description).joined(separator: ", ")
  }

  private func addPath() {
    let larger = UnsafeMutableBufferPointer<Unmanaged<Route>?>.allocate(capacity: routes.count + Self.methods)
    _ = larger.moveInitialize(fromContentsOf: routes)
    larger[routes.count...].initialize(repeating: nil)
    routes.deallocate()
    routes = larger
    allows.append("")
  }

  /// Returns what serves a path, and appends the positions of the route's parameters to `parameters`.
  @inline(__always)
  package func match(_ method: Method, _ path: RawSpan, _ parameters: inout PathParameters) -> Match {
    if method.rawValue >= Method.connect.rawValue { return .notImplemented }
    guard let index = literals.find(path) ?? tree.find(path, &parameters) else { return .notFound }
    if let route = route(index, method) { return .route(route) }
    return method == .options ? .options(allow: allows[index]) : .methodNotAllowed(allow: allows[index])
  }

  /// The route of a path for a method; GET's serves HEAD (RFC 9110, section 9.3.2).
  @inline(__always)
  private func route(_ path: Int, _ method: Method) -> Unmanaged<Route>? {
    let first = path &* Self.methods
    if let route = routes[first &+ Int(method.rawValue)] { return route }
    return method == .head ? routes[first &+ Int(Method.get.rawValue)] : nil
  }
}

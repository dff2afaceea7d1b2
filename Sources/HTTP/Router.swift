/// The routes of an application, which adds them all before it makes a server.
package final class Router {
  /// All routes, in the order in which they were added.
  package private(set) var routes: [Route] = []

  /// The table that requests are matched against.
  package let table = RouteTable()

  package init() {}

  /// Adds a route. Adding the same method and path twice is a mistake in the program, and traps.
  @discardableResult
  package func add(
    _ method: Method, _ template: String, options: RouteOptions = RouteOptions(), _ handler: RouteHandler
  ) -> Route {
    let template = PathTemplate(template)
    let route = Route(method, template, options, handler)
    table.add(route, template)
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
}

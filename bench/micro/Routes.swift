import HTTP

extension Benchmark {
  /// Finding a route among those of the API: by its text, and by walking the segments.
  static let routes = [
    Benchmark("route-literal", iterations: 50_000) { matching("/api/businesses", parameters: 0) },
    Benchmark("route-parameter", iterations: 50_000) {
      matching("/api/gardens/0193a1f2-6c5e-7b1a-9d3f-2a4b6c8d0e1f/latest", parameters: 1)
    },
  ]

  private static let templates = [
    "/livez", "/readyz", "/startupz", "/health", "/version", "/metrics", "/openapi.json", "/docs", "/", "/status",
    "/api/users", "/api/users/me", "/api/users/me/export", "/api/users/me/import", "/api/sessions",
    "/api/sessions/refresh", "/api/sessions/current", "/api/sessions/{id}", "/api/businesses", "/api/businesses/{id}",
    "/api/businesses/{id}/products", "/api/products/{id}", "/api/orders", "/api/orders/summary", "/api/orders/{id}",
    "/api/orders/{id}/transitions", "/api/gardens", "/api/gardens/{id}", "/api/gardens/{id}/devices",
    "/api/gardens/{id}/latest", "/api/gardens/{id}/events", "/api/gardens/{id}/insights", "/api/devices/{id}",
    "/api/devices/{id}/key", "/api/devices/{id}/readings",
  ]

  private static func matching(_ path: String, parameters expected: Int) -> (Int) -> Void {
    let router = Router()
    for template in templates { router.sync(.get, template) { _, _ in } }
    let path = Array(path.utf8)
    return { count in
      var parameters = PathParameters()
      for _ in 0..<count {
        parameters.removeAll()
        let match = router.table.match(.get, path.span.bytes, &parameters)
        guard case .route = match, parameters.count == expected else { fatalError("the route was not found") }
      }
    }
  }
}

import HTTP
import Metrics
import Reactor
import Secrets
import Settings
import Web

/// The metrics of the process, for Prometheus.
struct MetricsPages: EndpointGroup {
  let context: LoopContext
  let exposition: LoopBound<Exposition>
  /// Whether a configured `METRICS_TOKEN` is demanded: on the API's port, not on the port for metrics alone.
  let needsToken: Bool

  var endpoints: [Endpoint] {
    [("/metrics", "getMetrics"), ("/api/metrics", "getApiMetrics")].map { path, name in
      Endpoint(
        name, method: .get, template: path, access: .open, summary: "Metrics of this process",
        details: "Prometheus text format 0.0.4, or OpenMetrics 1.0 by `Accept`.", tag: "Operations",
        success: Endpoint.Success(200, mediaTypes: ["text/plain", "application/openmetrics-text"]),
        refusals: [.unauthorized, .notAcceptable], isProbe: true, handler: .async(expose))
    }
  }

  private func expose(_ call: Call) async throws -> Response {
    try checkToken(call)
    let accept = call.request.headerList("Accept")
    let other: ExpositionFormat? = Accept.namesProblems(accept) ? .text : nil
    guard let format = ExpositionFormat.negotiated(accept: accept) ?? other else {
      throw Problem(.notAcceptable, "Metrics are text/plain or application/openmetrics-text.")
    }
    guard let page = await exposition.page(format, for: call.request.share) else { throw Problem(Limit.memory) }
    return Response(
      .ok, headers: ["Content-Type": format.contentType, "Cache-Control": "no-store"], body: .shared(page))
  }

  /// Throws 401 without the token. A client that has it, or comes to the port for metrics alone, counts as known.
  private func checkToken(_ call: Call) throws {
    guard needsToken else {
      call.request.share = .known
      return
    }
    guard let token = context.configuration.listening.metricsToken else { return }
    let field = Array((call.request.header("Authorization") ?? "").utf8)
    guard constantTimeEquals(Digest.sha256(field), Digest.sha256(Array("Bearer \(token)".utf8))) else {
      throw Problem(.unauthorized, "Send the metrics token as a bearer token.")
    }
    call.request.share = .known
  }
}

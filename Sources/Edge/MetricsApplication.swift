import HTTP
import Metrics

/// Serves the metrics of a registry, and nothing else: for a process that has no API.
final class MetricsApplication: Application {
  let router = Router()

  init(_ registry: Registry) {
    router.sync(.get, "/metrics") { request, writer in
      let format = ExpositionFormat.negotiated(accept: request.header("Accept")) ?? .text
      var body: [UInt8] = []
      registry.render(format, into: &body)
      writer.send(Response(.ok, headers: ["Content-Type": format.contentType], body: .bytes(body)))
    }
  }

  func begin(_ request: Request) {}

  func refuse(_ refusal: Refusal, _ request: Request) -> Response {
    guard case .methodNotAllowed(let allow) = refusal else { return Response(refusal.status) }
    return Response(refusal.status, headers: ["Allow": allow])
  }

  func finish(_ request: Request, _ summary: Finished) {}
}

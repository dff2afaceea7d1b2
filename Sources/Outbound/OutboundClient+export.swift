import CCurl
import Telemetry

extension OutboundClient {
  /// Sends spans to a collector by HTTPS and blocks the calling thread, which is the exporter's own.
  package static func export(
    _ request: PlainHTTP.Request, authorities: String?, timeoutMilliseconds: Int
  ) throws -> PlainHTTP.Answer {
    let call = try OutboundCall(
      OutboundRequest(
        method: request.method, url: request.url.description, headers: request.headers, body: request.body))
    if let authorities { call.trust(authorities) }
    call.set(CURLOPT_TIMEOUT_MS, timeoutMilliseconds)
    let answer = try call.result(curl_easy_perform(call.easy)).get()
    return PlainHTTP.Answer(
      status: answer.status, headers: answer.headers.map { ($0.key, $0.value) }, body: answer.body)
  }
}

import Foundation
import Synchronization
import Telemetry

extension OutboundClient {
  /// Sends spans to a collector by HTTPS and blocks the calling thread, which is the exporter's own.
  package func export(_ request: PlainHTTP.Request) throws -> PlainHTTP.Answer {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<OutboundResponse, OutboundError>?>(nil)
    let message = OutboundRequest(
      method: request.method, url: request.url.description, headers: request.headers, body: request.body)
    start(message) { answer in
      result.withLock { $0 = answer }
      done.signal()
    }
    done.wait()
    let answer = try result.withLock { $0! }.get()
    return PlainHTTP.Answer(
      status: answer.status, headers: answer.headers.map { ($0.key, $0.value) }, body: answer.body)
  }
}

// GET /livez in Hummingbird 2 on SwiftNIO, on one thread; every request is counted and timed.
import Hummingbird
import Logging
import NIOPosix
import Synchronization

/// A counter, and a histogram with Terroir's buckets.
final class Instruments: Sendable {
  static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.7, 1, 2, 2.5, 3, 5, 7, 10]
  let state = Mutex((count: 0, sum: 0.0, buckets: [Int](repeating: 0, count: bounds.count + 1)))

  func record(_ seconds: Double) {
    let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
    state.withLock {
      $0.count += 1
      $0.sum += seconds
      $0.buckets[bucket] += 1
    }
  }
}

struct Measured<Context: RequestContext>: RouterMiddleware {
  let instruments: Instruments

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    let response = try await next(request, context)
    let elapsed = (ContinuousClock.now - start).components
    instruments.record(Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18)
    return response
  }
}

let router = Router()
router.add(middleware: Measured(instruments: Instruments()))
router.get("livez") { _, _ in
  Response(
    status: .ok, headers: [.contentType: "application/json"],
    body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"status":"ok"}"#)))
}
var logger = Logger(label: "peer")
logger.logLevel = .error
let port = Environment().get("PORT", as: Int.self) ?? 8080
let application = Application(
  router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
  eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)), logger: logger)
try await application.runService()

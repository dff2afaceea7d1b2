import Reactor

/// The body of a request as it arrives, for a handler that takes it piece by piece.
///
/// Back-pressure: when `HTTPLimits.streamedBodyBytes` wait for the handler, the connection is no longer read.
package final class RequestBodyStream {
  private var connection: Connection?
  private var waiting: [UInt8] = []
  private var end: Result<Void, RequestFault>?
  private var consumer: LoopContinuation<Void>?

  /// An empty body.
  init() { end = .success(()) }

  /// A body that the connection will provide.
  init(_ connection: Connection) { self.connection = connection }

  /// Returns the next piece, never empty; nil after the last.
  ///
  /// Throws a `RequestFault` when the body is malformed, too long or too slow, or when the client is gone. Call it from
  /// one task only.
  package func next() async throws(RequestFault) -> [UInt8]? {
    if waiting.isEmpty, end == nil { connection?.handlerAwaitsBody() }
    while waiting.isEmpty {
      switch end {
      case .success: return nil
      case .failure(let fault): throw fault
      case nil: await withLoopContinuation { consumer = $0 }
      }
    }
    defer { waiting = [] }
    return waiting
  }

  /// Ends the body with a fault, which `next` throws once the waiting bytes are taken.
  package func fail(_ fault: RequestFault) {
    finish(.failure(fault))
    wake()
  }

  /// Whether no more is taken from the connection.
  var isFinished: Bool { end != nil }

  /// The number of bytes that wait for the handler.
  var count: Int { waiting.count }

  func append(_ bytes: UnsafeRawBufferPointer) { waiting.append(contentsOf: bytes) }

  /// Ends the body; the first call counts.
  func finish(_ result: Result<Void, RequestFault>) {
    if end == nil { end = result }
    connection = nil
  }

  /// Resumes the handler if it waits and there is something for it; returns whether it did.
  @discardableResult
  func wake() -> Bool {
    guard let waiter = consumer, !waiting.isEmpty || end != nil else { return false }
    consumer = nil
    waiter.resume()
    return true
  }
}

import Reactor

/// Thrown to a stream whose client is gone, or that writes after its end or beyond its length.
package struct StreamClosed: Error {}

/// Writes the body of a streamed answer.
package struct BodyWriter {
  let connection: Connection
  /// The request's number on its connection (`Request.precedingRequests`).
  let request: Int

  /// Queues bytes to be sent at the end of the turn, and suspends while more than `HTTPLimits.outputBytes` wait to be
  /// sent.
  ///
  /// Each call makes a chunk of its own, so gather small pieces. Throws `StreamClosed` when the client is gone, or for
  /// bytes beyond the length of the answer.
  package func write(_ bytes: [UInt8]) async throws(StreamClosed) {
    try connection.writeStreamed(bytes, request)
    while connection.mustStreamWait(request) { await connection.waitUntilSent() }
    guard connection.isStreaming(request) else { throw StreamClosed() }
  }

  /// Breaks the answer off with a reset, which tells the client that it is not whole; a pending `write` throws
  /// `StreamClosed`.
  package func breakOff() { if connection.isStreaming(request) { connection.abort() } }

  /// Whether the client is known to be gone.
  package var isClosed: Bool { !connection.isStreaming(request) }

  /// Calls `action` once if the client goes away before the stream ends, or at once if it has gone: for a stream that
  /// waits for something other than its client. Nil withdraws it.
  package func onClose(_ action: (() -> Void)?) {
    if connection.isStreaming(request) { connection.streamClosed = action } else { action?() }
  }
}

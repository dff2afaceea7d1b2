import Reactor

/// Thrown to a stream whose client is gone, or that writes after its end or beyond its length.
package struct StreamClosed: Error {}

/// What a stream writes the body of its answer to.
package struct BodyWriter {
  let connection: Connection
  /// Which of the connection's requests it belongs to.
  let request: Int

  /// Sends bytes at the end of the turn, and waits while too many are not sent yet (`HTTPLimits.outputBytes`).
  ///
  /// Each call makes a chunk of its own: gather small pieces. Throws `StreamClosed` when the client is gone.
  package func write(_ bytes: [UInt8]) async throws(StreamClosed) {
    try connection.writeStreamed(bytes, request)
    while connection.mustStreamWait(request) { await connection.waitUntilSent() }
    guard connection.isStreaming(request) else { throw StreamClosed() }
  }

  /// Breaks the answer off, which the client is told by a reset; who waits to write more is thrown `StreamClosed`.
  package func breakOff() { if connection.isStreaming(request) { connection.abort() } }

  /// Whether the client is known to be gone.
  package var isClosed: Bool { !connection.isStreaming(request) }

  /// Has `action` called once when the client is gone before the stream's end: for a stream that waits for something
  /// else than its client. Nil takes it back.
  package func onClose(_ action: (() -> Void)?) {
    if connection.isStreaming(request) { connection.streamClosed = action } else { action?() }
  }
}

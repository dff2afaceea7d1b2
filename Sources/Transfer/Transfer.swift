import HTTP
import Reactor
import Web

/// An export or import under way, and how its client keeps up.
final class Transfer {
  /// How much of an answer is sent at a time.
  private static let pieceBytes = 64 * 1024

  // Invariant 1: the loop outlives the transfer.
  private unowned(unsafe) let loop: EventLoop
  private var pace: TransferPace
  /// Since when the client has been waited for, and what ends the wait; nil while the server is at work.
  private var wait: (since: UInt64, end: () -> Void)?
  /// Whether it ends because another client was given its place.
  private(set) var hasGivenWay = false

  init(loop: EventLoop, graceNanoseconds: UInt64) {
    self.loop = loop
    pace = TransferPace(graceNanoseconds: graceNanoseconds)
  }

  /// Whether the client is waited for and slow. Such a transfer can end at once, since no statement of it runs.
  var isSlow: Bool { wait.map { pace.isSlow(waiting: loop.now - $0.since) } ?? false }

  /// Ends the transfer, so that another one has its place.
  func giveWay() {
    hasGivenWay = true
    wait?.end()
  }

  /// Returns the next piece of the body; nil after the last. Throws 503 when the transfer has given way.
  func next(of stream: RequestBodyStream) async throws -> [UInt8]? {
    wait = (loop.now, { stream.fail(RequestFault(.serviceUnavailable, "The body is no longer awaited")) })
    defer { wait = nil }
    do {
      let piece = try await stream.next()
      moved(piece?.count ?? 0)
      return piece
    } catch {
      throw hasGivenWay ? Problem(.transfers, Self.gaveWay) : error
    }
  }

  /// Sends more of the answer in pieces, each of which counts once it has gone. Throws `StreamClosed` when the client
  /// is gone, or the transfer has given way.
  func write(_ bytes: [UInt8], to writer: BodyWriter) async throws(StreamClosed) {
    for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
      let piece = Array(bytes[start..<min(start + Self.pieceBytes, bytes.count)])
      wait = (loop.now, writer.breakOff)
      defer { wait = nil }
      try await writer.write(piece)
      moved(piece.count)
    }
  }

  private func moved(_ count: Int) {
    if let wait { pace.moved(count, waited: loop.now - wait.since) }
  }

  private static let gaveWay = """
    The file came too slowly while others waited for their turn, and nothing of it was taken in this time. Send it again \
    later, with the same Idempotency-Key if it had one.
    """
}

import Reactor
import Web

/// One client that watches a garden: its position, and a bounded queue of what is to be sent to it.
final class EventWatcher {
  /// The most bytes that wait for a client, unless it is one message; a slower client is cut off, and may resume.
  static let maximumWaitingBytes = 512 * 1024
  /// About how much is sent in one piece, in bytes.
  static let pieceBytes = 32 * 1024

  let identity: Identity
  /// Whether it is told what insights say, which takes a role in the garden.
  private(set) var seesInsights: Bool
  /// When that was last asked, on the loop's clock.
  private var judgedAt: UInt64 = 0
  /// The last event that it was offered.
  private(set) var position = EventID.zero
  private(set) var hasEnded = false
  /// Whether it was too slow.
  private(set) var isCutOff = false
  /// Whether events are taken as they happen.
  private(set) var isLive = false
  private var waiting: [[UInt8]] = []
  private var waitingBytes = 0
  private var reader: LoopContinuation<Void>?
  private var drainWaiter: LoopContinuation<Void>?

  init(_ identity: Identity, seesInsights: Bool) {
    self.identity = identity
    self.seesInsights = seesInsights
  }

  /// Sets whether it is told what insights say, as found by a look begun at `moment`; an older look than the last is
  /// ignored.
  func judge(seesInsights: Bool, asked moment: UInt64) {
    guard moment >= judgedAt else { return }
    judgedAt = moment
    self.seesInsights = seesInsights
  }

  // MARK: What is told

  /// Takes events as they happen. Those before `goLive`, and those that it has had, are left out.
  func offer(_ events: EventText) {
    guard isLive, events.last > position else { return }
    position = events.last
    append(events.text)
  }

  /// Takes events of the past.
  func replay(_ events: EventText) {
    position = events.last
    append(events.text)
  }

  /// Tells the client that events may be missing before those to come, so that it reads anew what it shows.
  func tellGap() { append(EventText.gap) }

  /// Tells the client that no events come for now, so that it does not take what it shows for live. A gap follows once
  /// they come again.
  func tellStalled() { append(EventText.stalled) }

  /// Takes events as they happen from here on. The client learns the position by an id without an event (the HTML
  /// standard, section 9.2.6), so that it can resume also when it loses the connection before the first event.
  func goLive(from position: EventID) {
    self.position = position
    isLive = true
    append(Array("id: \(position)\n\n".utf8))
  }

  /// Sends a comment, so that client and proxies see that the connection lives; none is needed while something waits.
  func beat() { if waiting.isEmpty { append(Array(": \n\n".utf8)) } }

  /// Ends the stream after what waits.
  func end() {
    hasEnded = true
    wake()
  }

  private func append(_ text: [UInt8]) {
    if hasEnded { return }
    if !waiting.isEmpty, waitingBytes + text.count > Self.maximumWaitingBytes {
      isCutOff = true
      waiting = []
      waitingBytes = 0
      return end()
    }
    waiting.append(text)
    waitingBytes += text.count
    reader.take()?.resume()
  }

  private func wake() {
    reader.take()?.resume()
    drainWaiter.take()?.resume()
  }

  // MARK: What is sent

  /// Returns the next piece to send, once there is one; nil at the end.
  func next() async -> [UInt8]? {
    while waiting.isEmpty, !hasEnded { await withLoopContinuation { reader = $0 } }
    guard var piece = waiting.first else { return nil }
    var count = 1
    while count < waiting.count, piece.count + waiting[count].count <= Self.pieceBytes {
      piece += waiting[count]
      count += 1
    }
    waiting.removeFirst(count)
    waitingBytes -= piece.count
    if waiting.isEmpty { drainWaiter.take()?.resume() }
    return piece
  }

  /// Waits until all that waited was taken, or the end.
  func drained() async {
    while !waiting.isEmpty, !hasEnded { await withLoopContinuation { drainWaiter = $0 } }
  }
}

import Reactor
import Web

/// One client that watches a garden: what waits to be sent to it, which is bounded, and how far it has got.
final class EventWatcher {
  /// The most bytes that wait for a client, unless it is one message; one that is slower is cut off, and may resume.
  static let maximumWaitingBytes = 512 * 1024
  /// How much is sent in one piece, about.
  static let pieceBytes = 32 * 1024

  let identity: Identity
  /// Whether it is told what insights say: it has a role in the garden.
  private(set) var seesInsights: Bool
  /// When that was asked last.
  private var judgedAt: UInt64 = 0
  /// Events up to here have been offered.
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

  /// What it is told from here on, as it was found when that was asked; what was asked before the last time is too old.
  func judge(seesInsights: Bool, asked moment: UInt64) {
    guard moment >= judgedAt else { return }
    judgedAt = moment
    self.seesInsights = seesInsights
  }

  // MARK: What is told

  /// Takes events as they happen; before `goLive`, and those it has had, are left out.
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

  /// Says that events may be missing before those to come: what the client shows is to be read anew.
  func tellGap() { append(EventText.gap) }

  /// From here on events are taken as they happen. The client learns where that is, though nothing is told by it (the
  /// HTML standard, section 9.2.6), so that it can resume also when it loses the connection before the first event.
  func goLive(from position: EventID) {
    self.position = position
    isLive = true
    append(Array("id: \(position)\n\n".utf8))
  }

  /// A comment, so that client and proxies see that the connection lives. Who has something to read needs none.
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

  /// What is to be sent next, when there is something; nil at the end.
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

  /// Waits until nothing waits, or the end.
  func drained() async {
    while !waiting.isEmpty, !hasEnded { await withLoopContinuation { drainWaiter = $0 } }
  }
}

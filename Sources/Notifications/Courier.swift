import HTTP
import Metrics
import Outbound
import Postgres
import Reactor
import Secrets
import Telemetry
import Values
import Web

/// Delivers what waits in the outbox, on the housekeeping loop of every replica. Only the holder of a channel's lease
/// delivers to it, so that its news is sent in order, and at least once even if a replica dies.
package final class Courier {
  /// The pause between two looks at the outbox, in nanoseconds.
  static let pollNanoseconds: UInt64 = 1_000_000_000
  /// How long a lease is good unless it is renewed, in seconds; longer than a delivery takes.
  static let leaseSeconds = 20
  /// The time-out of one delivery, in seconds.
  static let timeoutSeconds = 10.0
  /// The most channels that are delivered to at a time.
  static let maximumChannels = 16
  /// The most messages to one channel before others have their turn, and how long they may take, in nanoseconds.
  static let messagesPerTurn = 50
  static let turnNanoseconds: UInt64 = 20_000_000_000
  /// The most news of one digest.
  static let newsPerDigest = 50
  /// The pauses after one failure, two in a row and so on, in seconds; the last one repeats.
  static let pauseSeconds = [5, 30, 120, 600, 1_800, 3_600]
  /// The factor of each pause, chosen by chance, so that channels that failed together are not tried together.
  static let jitter = 0.8...1.2
  /// The longest pause of a channel, in seconds.
  static let longestPauseSeconds = Int(Double(pauseSeconds[pauseSeconds.count - 1]) * jitter.upperBound)
  /// How long all mail rests once the mail server has failed, and how long a channel whose mail hit that outage is put
  /// off, in seconds.
  static let outageSeconds = 60
  /// The pauses after the attempts at a mail that the mail server defers, in seconds. The last one repeats, and is
  /// short enough that a warning soon follows the end of what was in its way.
  static let putOffSeconds = [60, 120, 300, 600]
  /// A channel is switched off after three days of failures, and not before this many in a row: about what three days
  /// of hourly tries make, so that days in which nothing was sent do not count.
  static let maximumFailures = 60
  /// How often the age of waiting news is measured, in polls.
  static let pollsPerMeasurement = 15
  /// The longest fault that is kept, in characters.
  static let maximumFaultLength = 200

  /// A channel whose lease this courier holds.
  struct Held {
    let id: Identifier
    let user: Identifier
    let kind: ChannelKind
    let target: String
    let secret: WebhookSecret?
    let lease: Identifier
  }

  // Invariant 1: the loop's context outlives the courier.
  private unowned(unsafe) let context: LoopContext
  private let seal: Seal
  private let client: OutboundClient
  private let outbox: Outbox
  private var active = 0
  private var isStopped = false
  /// No mail is tried before this, on the loop's clock, so that an outage takes up no channel's turn.
  private var mailRestsUntil: UInt64 = 0

  init(_ context: LoopContext, admits networks: AdmittedNetworks, seal: Seal) {
    self.context = context
    self.seal = seal
    // A client of its own, so that it shares no connection with calls that may go anywhere.
    client = OutboundClient(
      on: context.loop, authorities: context.configuration.outbound.authorities, admits: networks.admits)
    outbox = Outbox(context)
    // Makes every counter at zero, so that the first of each is seen.
    for kind in ChannelKind.allCases {
      for outcome in NewsOutcome.allCases { _ = counter(kind, outcome) }
    }
  }

  /// Starts to deliver. Called once the schema is there.
  func start() {
    context.loop.spawn { [self] in
      var polls = 0
      while !isStopped {
        if context.database.isUsable {
          await claim()
          if polls % Self.pollsPerMeasurement == 0 { await measure() }
          polls += 1
        }
        await context.loop.sleep(nanoseconds: Self.pollNanoseconds)
      }
    }
  }

  /// Starts nothing more; messages in flight are finished.
  func stop() { isStopped = true }

  // MARK: Channels

  private func claim() async {
    let (lease, room) = (context.makeIdentifier(), Self.maximumChannels - active)
    guard room > 0 else { return }
    do {
      for row in try await context.database.write(Self.claimFree, lease, room, Self.leaseSeconds) {
        var columns = row.columns
        // A channel of a kind that only a later release knows is left to that release.
        guard let held = try? held(&columns, lease) else { continue }
        active += 1
        context.loop.spawn { [self] in
          await deliver(to: held)
          active -= 1
        }
      }
    } catch {
      log(error, channel: nil)
    }
  }

  private func held(_ columns: inout Columns, _ lease: Identifier) throws -> Held {
    let (id, user) = (try columns.next(Identifier.self), try columns.next(Identifier.self))
    let (kind, target) = (try columns.next(ChannelKind.self), try columns.next(String.self))
    let secret = try columns.next([UInt8]?.self).flatMap(seal.open).map { WebhookSecret(key: $0) }
    return Held(id: id, user: user, kind: kind, target: target, secret: secret, lease: lease)
  }

  /// Sends what waits until nothing is left, something fails, or others should have their turn.
  private func deliver(to channel: Held) async {
    do {
      let expired = try await context.database.execute(Self.expire, channel.id)
      counter(channel.kind, .expired).increment(by: UInt64(expired))
      let end = context.loop.now + Self.turnNanoseconds
      for _ in 0..<Self.messagesPerTurn where !isStopped && context.loop.now < end {
        let rows = try await context.database.write(
          Self.next, channel.id, channel.lease, Self.leaseSeconds, Self.newsPerDigest)
        guard !rows.isEmpty else { break }
        let news = try rows.map { try WaitingNews($0) }
        if let fault = await send(Message(news: news), to: channel) {
          return try await failed(channel, news, fault)
        }
        try await arrived(channel, news)
      }
      try await context.database.execute(Self.release, channel.id, channel.lease, 0.0)
    } catch {
      // Its lease runs out by itself.
      log(error, channel: channel.id)
    }
  }

  // MARK: Messages

  /// Why a message was not taken.
  private struct Fault {
    let text: String
    /// The receiver wants no more messages (410, by the Standard Webhooks specification).
    var isFinal = false
    /// Where the fault is not the channel's: the pauses after the attempts at this news, in seconds.
    var pausesOfNews: [Int]?
  }

  /// Sends a message. Returns what was wrong; nil once it was taken.
  private func send(_ message: Message, to channel: Held) async -> Fault? {
    do {
      switch channel.kind {
      case .webhook:
        guard let secret = channel.secret else {
          return Fault(text: "its secret can no longer be read: create the channel again")
        }
        return Self.fault(try await client.send(message.webhook(channel.target, secret, at: context.now)))
      case .ntfy: return Self.fault(try await client.send(message.ntfy(channel.target)))
      case .email:
        return try await mail(message, to: channel.target)
      }
    } catch {
      log(error, channel: channel.id)
      // What is wrong with the operator's mail server is logged for the operator, not shown to users.
      guard channel.kind == .email else { return Fault(text: "\(error)") }
      switch (error as? OutboundError)?.refusal {
      case .permanent: return Fault(text: "the mail server did not take it")
      // Only this channel waits: a full mailbox must not hold up others.
      case .transient: return Fault(text: "the mail server did not take it yet", pausesOfNews: Self.putOffSeconds)
      case nil:
        mailRestsUntil = context.loop.now + UInt64(Self.outageSeconds) * 1_000_000_000
        return Self.mailOutage
      }
    }
  }

  private static let mailOutage = Fault(
    text: "this server cannot send mail at the moment", pausesOfNews: [outageSeconds])

  private func mail(_ message: Message, to recipient: String) async throws -> Fault? {
    guard let submission = MailSubmission(context) else {
      return Fault(text: "this server sends no mail any more", pausesOfNews: [Self.outageSeconds])
    }
    guard context.loop.now >= mailRestsUntil else { return Self.mailOutage }
    try await message.mail(to: recipient, by: submission)
    return nil
  }

  private static func fault(_ response: OutboundResponse) -> Fault? {
    if (200..<300).contains(response.status) { return nil }
    return Fault(text: "answered with status \(response.status)", isFinal: response.status == 410)
  }

  private func arrived(_ channel: Held, _ news: [WaitingNews]) async throws {
    try await context.database.execute(Self.markDelivered, news.map(\.id), channel.id)
    counter(channel.kind, .delivered).increment(by: UInt64(news.count))
    let delays = context.process.instruments.news.delay.child(
      shard: context.loop.index, channel.kind.rawValue)
    for item in news {
      let milliseconds = context.now.unixMilliseconds - item.dueAt.unixMilliseconds
      delays.observe(max(0, Double(milliseconds) / 1_000))
    }
  }

  private func failed(_ channel: Held, _ news: [WaitingNews], _ fault: Fault) async throws {
    counter(channel.kind, .failed).increment(by: UInt64(news.count))
    let text = String(fault.text.prefix(Self.maximumFaultLength))
    try await context.database.transaction { transaction in
      let tries = try await transaction.query(Self.markFailed, news.map(\.id), text).map { try $0.decode(Int.self, 0) }
      let jitter = Double.random(in: Self.jitter)
      if let pauses = fault.pausesOfNews {
        let pause = pauses.pause(afterTries: tries.max() ?? 1)
        try await transaction.execute(Self.release, channel.id, channel.lease, Double(pause) * jitter)
        return
      }
      let rows = try await transaction.query(
        Self.postpone, channel.id, channel.lease, Self.pauseSeconds, fault.isFinal, "Nothing arrived: \(text).",
        jitter, Self.maximumFailures)
      guard let row = rows.first, try row.decode(Bool.self, 0) else { return }
      let dropped = try await transaction.execute(Self.dropWaiting, channel.id)
      counter(channel.kind, .dropped).increment(by: UInt64(dropped))
      try await outbox.putDisabled(channel, because: text, in: transaction)
    }
  }

  // MARK: Watching

  private func counter(_ kind: ChannelKind, _ outcome: NewsOutcome) -> Counter {
    context.process.instruments.news.count(kind.rawValue, outcome, shard: context.loop.index)
  }

  /// Measures how long the oldest news that could be sent has waited.
  private func measure() async {
    guard let row = try? await context.database.query(Self.longestWait).first,
      let seconds = try? row.decode(Double.self, 0)
    else { return }
    context.process.instruments.news.wait.child(shard: context.loop.index).set(seconds)
  }

  private func log(_ error: any Error, channel: Identifier?) {
    context.logger.log(.warning, "News was not delivered") { line in
      if let channel { line.field("channel", channel.description) }
      line.field("error", error: error)
    }
  }
}

extension [Int] {
  /// The pause after `tries` attempts, at least one; the last pause repeats.
  fileprivate func pause(afterTries tries: Int) -> Int { self[Swift.min(tries, count) - 1] }
}

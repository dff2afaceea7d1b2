import Reactor

/// One loop's connection for messages: receivers on any number of channels, kept subscribed through reconnections.
///
/// Redis keeps no messages for absent subscribers. `onGap` tells that some may have been missed: once when the
/// connection is lost and once when all channels are subscribed again, so that what was cached in between can be
/// dropped too. Close it before releasing it.
package final class RedisSubscriber {
  /// Called when messages may have been missed.
  package var onGap: (() -> Void)?
  /// Called when all channels have become subscribed (true) and when the connection is lost (false).
  package var onStateChange: ((_ isListening: Bool) -> Void)?
  /// Called when Redis refuses a subscription, unless the failure before had the same reason; for logs. Failures to
  /// connect are not reported: a `RedisClient` of the same Redis reports them.
  package var onRefusal: ((_ reason: String) -> Void)?

  private final class Channel {
    let name: String
    var receivers: [RedisSubscription] = []
    var isConfirmed = false
    var waiting: [Pending<Bool>] = []

    init(_ name: String) { self.name = name }

    func settle(_ isConfirmed: Bool) {
      self.isConfirmed = isConfirmed
      let settled = waiting
      waiting = []
      for pending in settled { pending.complete(.success(isConfirmed)) }
    }
  }

  private let loop: EventLoop
  private let configuration: RedisConfiguration
  private let connector: RedisConnector
  /// The link once channels may be subscribed on it: from the first one on it takes no other commands.
  private var link: RedisLink?
  private var channels: [String: Channel] = [:]
  private var arguments = ArgumentBuffer()
  /// The channel that is subscribed over and over as a probe: its confirmation does not take the place of a message, as
  /// the reply to a PING on a subscribed connection does in hiredis 0.14.
  private let probe: Channel
  private var probeTimer: FairTimer?
  private var probedAt: UInt64 = 0
  private var tracking: KeyTracking?
  private let invalidations = Channel(KeyTracking.channel)
  /// Whether Redis forbids this user to track keys; the attempt ends the connection.
  private var isTrackingForbidden = false
  /// Whether that was why the last connection ended.
  private var isTrackingRefused = false
  /// The moment of the monotonic clock up to which every change of a tracked key has been received; 0 while keys are
  /// not tracked.
  @exclusivity(unchecked) package private(set) var heardUntil: UInt64 = 0
  // The channels whose SUBSCRIBE is in flight, in order: Redis confirms in order. A channel that was unsubscribed and
  // subscribed again is another object, which the confirmation of the first does not confirm.
  private var asked: [Channel] = []
  private var nextConfirmed = 0
  /// Whether every channel is subscribed: no message is missed while it is true.
  package private(set) var isListening = false
  private var hadGap = false

  /// Begins to connect at once. Call it on the loop's thread.
  package init(loop: EventLoop, configuration: RedisConfiguration) {
    self.loop = loop
    self.configuration = configuration
    connector = RedisConnector(loop: loop, configuration: configuration)
    probe = Channel("\(configuration.trialKey ?? "terroir"):probe")
    connector.onReady = { [unowned self] link in connected(link) }
    connector.onLost = { [unowned self] reason in disconnected(reason) }
    connector.onFailure = { [unowned self] reason in failed(reason) }
    connector.start()
  }

  /// Calls `receive` on the loop with each change of a key that begins with one of `prefixes`, and when changes may
  /// have been missed. No prefix may begin with another one. To be called at most once, right after `init`.
  package func track(prefixes: [String], _ receive: @escaping (KeyChange) -> Void) {
    precondition(tracking == nil && link == nil, "tracking begins with the connection")
    tracking = KeyTracking(prefixes: prefixes, receive)
  }

  /// Why the last attempt or connection failed; nil while all channels are subscribed.
  package var lastFailure: String? { connector.lastFailure }

  /// Ends the connection and forgets all receivers.
  package func close() {
    onGap = nil
    onStateChange = nil
    onRefusal = nil
    stop()
    connector.close()
    link = nil
    channels = [:]
  }

  // MARK: Channels

  /// Calls `receive` on the loop with each message of a channel, from the channel's confirmation on.
  ///
  /// Throws `.overloaded` beyond `RedisConfiguration.maximumChannels` channels; any number of receivers may share one.
  package func subscribe(
    _ channel: String, _ receive: @escaping ([UInt8]) -> Void
  ) throws(RedisError) -> RedisSubscription {
    let subscription = RedisSubscription(channel, receive)
    if let known = channels[channel] {
      known.receivers.append(subscription)
      return subscription
    }
    guard channels.count < configuration.maximumChannels else { throw .overloaded }
    let new = Channel(channel)
    new.receivers.append(subscription)
    channels[channel] = new
    subscribe(new)
    return subscription
  }

  /// Removes a receiver, which is not called any more; a channel without receivers is unsubscribed.
  package func unsubscribe(_ subscription: RedisSubscription) {
    subscription.receive = nil
    guard let channel = channels[subscription.channel] else { return }
    channel.receivers.removeAll { $0 === subscription }
    guard channel.receivers.isEmpty else { return }
    channels[channel.name] = nil
    channel.settle(false)
    push("UNSUBSCRIBE", channel)
  }

  /// Waits until Redis has confirmed a subscription; returns false if the connection is lost first or the receiver
  /// removed.
  package func isConfirmed(_ subscription: RedisSubscription) async -> Bool {
    guard connector.link != nil, subscription.receive != nil, let channel = channels[subscription.channel] else {
      return false
    }
    if channel.isConfirmed { return true }
    let pending = Pending<Bool>()
    channel.waiting.append(pending)
    return (try? await pending.value()) ?? false
  }

  private func subscribe(_ channel: Channel) {
    guard link != nil else { return }
    asked.append(channel)
    push("SUBSCRIBE", channel)
  }

  private func push(_ command: RedisArgument, _ channel: Channel) {
    guard let link else { return }
    arguments.fill([command, .text(channel.name)])
    link.push(&arguments)
  }

  // MARK: What Redis says

  private func received(_ push: RedisReply) {
    guard case .array(let parts) = push, parts.count == 3, let channel = parts[1].text else { return }
    switch parts[0].text {
    case "message" where channel == KeyTracking.channel: tracking?.received(parts[2])
    case "message": deliver(parts[2].bytes ?? [], channel)
    case "subscribe": confirmed()
    default: break
    }
  }

  private func deliver(_ message: [UInt8], _ channel: String) {
    // A copy, because a receiver may subscribe or unsubscribe; one that was removed meanwhile is not called.
    guard let receivers = channels[channel]?.receivers else { return }
    for subscription in receivers { subscription.receive?(message) }
  }

  private func confirmed() {
    guard nextConfirmed < asked.count else { return }
    let channel = asked[nextConfirmed]
    nextConfirmed += 1
    if nextConfirmed == asked.count { forgetAsked() }
    channel.settle(channel === probe || channel === invalidations || channels[channel.name] === channel)
    if channel === probe, invalidations.isConfirmed { heardUntil = probedAt }
    if asked.isEmpty, !isListening { listening() }
  }

  private func forgetAsked() {
    asked.removeAll(keepingCapacity: true)
    nextConfirmed = 0
  }

  private func listening() {
    isListening = true
    connector.linkServes()
    if hadGap { onGap?() }
    hadGap = false
    onStateChange?(true)
  }

  // MARK: The connection's state

  private func connected(_ link: RedisLink) {
    link.onPush = { [unowned self] push in received(push) }
    guard let tracking, !isTrackingForbidden else { return subscribeAll(on: link) }
    dropUnlessAnswered()
    tracking.begin(on: link) { [unowned self, unowned link] isOn in
      subscribeAll(on: link, withInvalidations: isOn)
    }
  }

  private func subscribeAll(on link: RedisLink, withInvalidations: Bool = false) {
    self.link = link
    if withInvalidations { subscribe(invalidations) }
    for channel in channels.values { subscribe(channel) }
    sendProbe()
  }

  /// Reports a refusal, unless it is that this user may not hear of changes, which it can do without.
  private func failed(_ reason: String) {
    guard isTrackingRefused else {
      if Self.isRefusal(reason) { onRefusal?(reason) }
      return
    }
    (isTrackingForbidden, isTrackingRefused) = (true, false)
    connector.linkServes()
  }

  /// Whether a link ended with an error in reply to SUBSCRIBE. Errors during the sign-in begin with `refused: `, and
  /// other reasons are not replies of Redis.
  private static func isRefusal(_ reason: String) -> Bool { reason.hasPrefix("NOPERM ") || reason.hasPrefix("ERR ") }

  private func disconnected(_ reason: String) {
    let isAsked = nextConfirmed < asked.count && asked[nextConfirmed] === invalidations
    // A user without the right to SUBSCRIBE can hear no channel, which says nothing about this one.
    isTrackingRefused = isAsked && reason.hasPrefix("NOPERM ") && !reason.contains("'subscribe' command")
    stop()
    link = nil
    hadGap = true
    tracking?.missed()
    onGap?()
    onStateChange?(false)
  }

  private func stop() {
    probeTimer?.cancel()
    isListening = false
    heardUntil = 0
    invalidations.isConfirmed = false
    probe.isConfirmed = false
    forgetAsked()
    for channel in channels.values { channel.settle(false) }
  }

  /// Sends a probe, which must be answered before the next one is due.
  private func sendProbe() {
    probe.isConfirmed = false
    probedAt = loop.now
    subscribe(probe)
    dropUnlessAnswered()
  }

  /// After the interval, sends the next probe, or drops the connection if the last one was not answered.
  private func dropUnlessAnswered() {
    probeTimer?.cancel()
    let interval = configuration.probeIntervalMilliseconds
    probeTimer = FairTimer(on: loop, afterNanoseconds: interval * 1_000_000) { [unowned self] in
      if probe.isConfirmed { sendProbe() } else { connector.link?.drop("no answer within \(interval) ms") }
    }
  }
}

/// A receiver on a channel, made by `RedisSubscriber.subscribe` and removed by `unsubscribe`.
package final class RedisSubscription {
  let channel: String
  var receive: (([UInt8]) -> Void)?

  init(_ channel: String, _ receive: @escaping ([UInt8]) -> Void) {
    self.channel = channel
    self.receive = receive
  }
}

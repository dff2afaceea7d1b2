import CRedis
import Reactor

/// Keeps one link to Redis up: resolves, connects, signs in, and begins again after a pause when it is lost.
final class RedisConnector {
  /// Called when a link has signed in and may be used.
  var onReady: ((RedisLink) -> Void)?
  /// Called when the link that was passed to `onReady` is gone.
  var onLost: ((String) -> Void)?
  /// Called when an attempt or a link fails for another reason than the one before. Never holds the password.
  var onFailure: ((String) -> Void)?

  /// The link while it is signed in.
  private(set) var link: RedisLink?
  /// The number of links that have signed in.
  private(set) var connections: UInt64 = 0
  /// Why the last attempt or link failed; nil once a link serves.
  private(set) var lastFailure: String?
  /// Whether the reason is that Redis does not know this server's credentials, gives them too few rights, or lacks a
  /// command that is needed.
  var refusesThisServer: Bool {
    ["WRONGPASS ", "NOAUTH ", "NOPERM ", "ERR unknown command"].contains {
      lastFailure?.hasPrefix("refused: \($0)") == true
    }
  }

  private let loop: EventLoop
  private let configuration: RedisConfiguration
  private let names: RememberedNames
  private var attempt: RedisLink?
  private var peers: [RedisLink.Peer] = []
  private var failures: UInt64 = 0
  private var deadline: FairTimer?
  private var pause: Timer?
  private var isClosed = false
  private var arguments = ArgumentBuffer()

  init(loop: EventLoop, configuration: RedisConfiguration) {
    self.loop = loop
    self.configuration = configuration
    if case .tcp(let host, _) = configuration.address.endpoint {
      names = RememberedNames([host], on: loop)
    } else {
      names = RememberedNames([], on: loop)
    }
  }

  func start() {
    switch configuration.address.endpoint {
    case .unix(let path): connect(to: [.unix(path: path)])
    case .tcp(_, let port):
      names.resolve { [weak self] answers in
        switch answers[0] {
        case .success(let addresses): self?.connect(to: addresses.map { .tcp(address: $0, port: port) })
        case .failure(let failure): self?.retry(after: failure.description)
        }
      }
    }
  }

  /// Ends the link or the attempt for good; `onLost` is not called any more.
  func close() {
    isClosed = true
    onReady = nil
    onLost = nil
    onFailure = nil
    if let pause { loop.cancel(pause) }
    attempt?.drop("closed")
    link?.drop("closed")
  }

  // MARK: Attempts

  private func connect(to peers: [RedisLink.Peer]) {
    guard !isClosed else { return }
    self.peers = peers
    connectToNextPeer()
  }

  private func connectToNextPeer() {
    guard !isClosed else { return }
    let link: RedisLink
    do throws(RedisLinkError) { link = try RedisLink(peers.removeFirst(), byTLS: tls, on: loop) } catch {
      return retry(after: error.reason)
    }
    attempt = link
    link.onClosed = { [weak self] reason in self?.ended(reason) }
    let limit = configuration.connectDeadlineMilliseconds
    deadline = FairTimer(on: loop, afterNanoseconds: limit * 1_000_000) {
      link.drop("no answer within \(limit) ms of connecting")
    }
    signIn(link)
  }

  /// The authorities that TLS trusts, and the host name that the certificate must be for; nil without TLS.
  private var tls: (trust: TLSTrust, host: String)? {
    guard configuration.address.isEncrypted, case .tcp(let host, _) = configuration.address.endpoint else { return nil }
    return (configuration.trust ?? .machine, host)
  }

  /// Sends AUTH, HELLO, SELECT, trial commands and PING at once. Redis answers in order, so the answer to PING
  /// completes the sign-in; an error before it ends the link first.
  private func signIn(_ link: RedisLink) {
    let address = configuration.address
    if let password = address.password {
      let credentials = [address.user, password].compactMap { $0 }.map(RedisArgument.text)
      greet(link, ["AUTH"] + credentials)
    }
    askForCluster(link)
    if address.database != 0 { greet(link, ["SELECT", .integer(Int64(address.database))]) }
    if let key = configuration.trialKey { tryCommands(link, key) }
    greet(link, ["PING"], isLast: true)
  }

  /// Tries a write, a script and a message: whoever may do those on a key and a channel of this server may do the rest,
  /// and without one of them streams of events and limits of rates would fail, silently.
  private func tryCommands(_ link: RedisLink, _ key: String) {
    greet(link, ["SET", .text(key), "", "EX", 1])
    greet(link, ["EVAL", .text(Self.trial.text), 1, .text(key)])
    greet(link, ["EVALSHA", .text(Self.trial.digest), 1, .text(key)])
    greet(link, ["PUBLISH", .text(key), ""])
  }

  private static let trial = RedisScript("return 1")

  private func greet(_ link: RedisLink, _ command: [RedisArgument], isLast: Bool = false) {
    ask(link, command) { connector, reply in
      if case .error(let message) = reply {
        link.drop("refused: \(message)")
      } else if isLast {
        connector.succeeded(link)
      }
    }
  }

  /// Refuses a Redis Cluster, which rejects commands over keys of several slots: every look-up would fail without a
  /// word. HELLO tells the mode to any user, while INFO needs a right; it is sent with the protocol already spoken, as
  /// Redis 6.0 demands. Where HELLO is forbidden or unknown, the server is taken for no Cluster.
  private func askForCluster(_ link: RedisLink) {
    ask(link, ["HELLO", 2]) { _, reply in
      if case .error(let message) = reply {
        let mayNotAsk = ["NOPERM ", "ERR unknown command"].contains { message.hasPrefix($0) }
        if !mayNotAsk { link.drop("refused: \(message)") }
      } else if Self.mode(in: reply) == "cluster" {
        link.drop("refused: this is a Redis Cluster; a single primary is needed, as Sentinel makes one")
      }
    }
  }

  /// The mode in a reply to HELLO, a list of names and values: `standalone`, `sentinel` or `cluster`.
  private static func mode(in reply: RedisReply) -> String? {
    guard let fields = reply.array, let name = fields.firstIndex(where: { $0.text == "mode" }) else { return nil }
    return fields[(name + 1)...].first?.text
  }

  private func ask(
    _ link: RedisLink, _ command: [RedisArgument], _ answered: @escaping (RedisConnector, RedisReply) -> Void
  ) {
    arguments.fill(command)
    let call = LinkCall { [weak self, unowned link] reply in
      guard let self, let reply, self.attempt === link else { return }
      answered(self, reply)
    }
    _ = link.send(&arguments, call)
  }

  private func succeeded(_ link: RedisLink) {
    deadline?.cancel()
    attempt = nil
    self.link = link
    connections += 1
    onReady?(link)
  }

  /// Notes that the link does what it is for: what fails from now on is news, and is soon tried again.
  func linkServes() {
    failures = 0
    lastFailure = nil
  }

  // MARK: Failures

  private func ended(_ reason: String) {
    deadline?.cancel()
    attempt = nil
    if link == nil { return retry(after: reason) }
    link = nil
    onLost?(reason)
    retry(after: reason)
  }

  /// Tries the host's next address at once or, after the last one, begins again with the name, after ever longer
  /// pauses.
  private func retry(after reason: String) {
    guard !isClosed else { return }
    if lastFailure != reason {
      lastFailure = reason
      onFailure?(reason)
    }
    // A timer even when there is nothing to wait for: what fails within a call must not recurse.
    let wait = peers.isEmpty ? backoff() : 0
    pause = loop.schedule(afterNanoseconds: wait * 1_000_000) { [unowned self] in
      if peers.isEmpty { start() } else { connectToNextPeer() }
    }
  }

  /// The pause in milliseconds: it doubles with each failure up to the bound, and its upper half is random.
  private func backoff() -> UInt64 {
    let doubled = configuration.shortestBackoffMilliseconds << min(failures, 10)
    failures += 1
    let longest = min(doubled, configuration.longestBackoffMilliseconds)
    return longest / 2 + UInt64.random(in: 0...(longest - longest / 2))
  }
}

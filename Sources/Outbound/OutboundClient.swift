import HTTP
import Reactor

/// The one place in which Terroir calls other servers: insight providers, external health URLs, receivers of news and
/// mail servers. libcurl does the work on one loop; only names are looked up on threads of its own.
package final class OutboundClient: Sendable {
  private let calls: LoopBound<OutboundCalls>

  /// Makes a client that works on `loop`, whichever loop asks it; called on that loop's thread.
  ///
  /// `authorities` are certificates, in PEM, that are trusted beside the machine's own. With `admits`, it connects only
  /// to addresses that this admits. No client follows a redirect, which would send keys to a host that is not
  /// configured.
  package init(
    on loop: EventLoop, authorities: String? = nil, admits: (@Sendable (PeerAddress) -> Bool)? = nil
  ) {
    calls = LoopBound(OutboundCalls(loop: loop, authorities: authorities, admits: admits), to: loop)
  }

  /// Sends a request and suspends until there is a whole answer; throws `OutboundError`.
  package func send(_ request: OutboundRequest) async throws -> OutboundResponse {
    try await withUnsafeContinuation { continuation in
      calls.submit { calls in
        calls.start(request.timeoutSeconds, { () throws(OutboundError) in try OutboundCall(request) }) {
          continuation.resume(returning: $0)
        }
      }
    }.get()
  }

  /// Hands a message to its mail server and suspends until that has taken it; throws `OutboundError`.
  package func send(_ mail: OutboundMail) async throws {
    _ = try await withUnsafeContinuation { continuation in
      calls.submit { calls in
        calls.start(mail.timeoutSeconds, { () throws(OutboundError) in try OutboundCall(mail) }) {
          continuation.resume(returning: $0)
        }
      }
    }.get()
  }
}

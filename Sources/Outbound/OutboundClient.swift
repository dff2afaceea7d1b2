import HTTP
import Reactor

/// The one place in which Terroir calls other servers: insight providers, external health URLs, receivers of news and
/// mail servers. libcurl does the work on one loop, without a thread but that in which a name is looked up.
package final class OutboundClient: Sendable {
  private let calls: LoopBound<OutboundCalls>

  /// A client that works on a loop, whichever loop asks it; made on that loop's thread.
  ///
  /// `authorities` are certificates, in PEM, of those who may vouch for a server beside the machine's authorities. With
  /// `admits` it connects to no address that is not admitted. A redirect is not followed by any client: it would send
  /// keys to a host that nobody configured.
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

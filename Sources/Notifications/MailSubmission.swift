import Outbound
import Values
import Web

/// Hands mail to the operator's mail server, which takes it on from there (message submission, RFC 6409).
package struct MailSubmission {
  private let context: LoopContext
  private let server: ServiceURL
  private let isPlain: Bool
  private let sender: String

  /// Nil where the operator has named no mail server.
  package init?(_ context: LoopContext) {
    let settings = context.configuration.notifications
    guard let server = settings.mailServer, let sender = settings.sender else { return nil }
    self.context = context
    self.server = server
    isPlain = settings.startTLS == .none
    self.sender = sender
  }

  /// Sends a message, and returns once the server has taken it; throws `OutboundError`. `id` is the same in every
  /// attempt.
  package func send(to recipient: String, subject: String, text: String, id: String) async throws {
    let mail = MailText(
      sender: sender, recipient: recipient, subject: subject, text: text, id: id, date: context.now)
    try await context.process.mail.send(
      OutboundMail(
        server: server, isPlain: isPlain, sender: sender, recipient: recipient, content: mail.content,
        timeoutSeconds: Courier.timeoutSeconds))
  }
}

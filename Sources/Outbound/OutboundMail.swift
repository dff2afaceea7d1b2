import Values

/// A message for a mail server, which takes it on from there (RFC 5321).
package struct OutboundMail: Sendable {
  /// `smtps` for TLS from the first byte, `smtp` for STARTTLS.
  package let server: ServiceURL
  /// Whether `smtp` goes without TLS.
  package var isPlain = false
  package let sender: String
  package let recipient: String
  /// Header and body (RFC 5322), lines ended by CRLF.
  package let content: [UInt8]
  /// From connecting to the server's last word.
  package var timeoutSeconds: Double = 10

  package init(
    server: ServiceURL, isPlain: Bool = false, sender: String, recipient: String, content: [UInt8],
    timeoutSeconds: Double = 10
  ) {
    self.server = server
    self.isPlain = isPlain
    self.sender = sender
    self.recipient = recipient
    self.content = content
    self.timeoutSeconds = timeoutSeconds
  }
}

/// How a mail server refuses a recipient, or a message before or after it has come (RFC 5321, section 4.2.1).
package enum MailRefusal: Sendable {
  /// 4yz: not now. A mailbox is full, or the server lacks something that it needs.
  case transient
  /// 5yz: never.
  case permanent
}

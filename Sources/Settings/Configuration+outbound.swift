import Redis

extension Configuration {
  /// Calls to other servers.
  package struct Outbound: Sendable {
    /// Certificates, in PEM; nil for the machine's authorities alone.
    package internal(set) var authorities: String?

    static let settings = [
      Setting(
        "OUTBOUND_CA", optional: \.outbound.authorities, .certificates,
        "Certificates, in PEM, of the authorities that are trusted for calls to other servers, beside the machine's."
      )
    ]
  }
}

extension Form where Value == String {
  /// Certificates of authorities as they are written. Shown by their number.
  fileprivate static var certificates: Form {
    let authorities = Form<TLSTrust>.authorities
    return Form(
      parse: { text throws(InvalidText) in
        _ = try authorities.parse(text)
        return text
      }, show: { text in (try? authorities.parse(text)).map(authorities.show) ?? "" })
  }
}

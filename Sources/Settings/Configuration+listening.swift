import HTTP
import Values

extension Configuration {
  /// Where the server listens, with how many loops, and how it ends.
  package struct Listening: Sendable {
    /// An IP address.
    package internal(set) var host = ""
    package internal(set) var port: UInt16 = 0
    /// 0 means that metrics are served on `port` alone.
    package internal(set) var metricsPort: UInt16 = 0
    package internal(set) var metricsToken: String?
    /// Event loops, each on a thread of its own.
    package internal(set) var workers = 0
    package internal(set) var trustedProxies: [AddressBlock] = []
    /// As they stand in an Origin field.
    package internal(set) var corsOrigins: [String] = []
    /// The origin of the pages, for links to them.
    package internal(set) var publicURL: String?
    package internal(set) var drainSeconds = 0
    package internal(set) var shutdownSeconds = 0

    static let settings = [
      Setting("HOST", \.listening.host, .address, default: .text("0.0.0.0"), "The address to listen on."),
      Setting(
        "PORT", \.listening.port, .port(allowingZero: true), default: .text("3000"),
        "The port to listen on; 0 takes a free one."),
      Setting(
        "WORKERS", \.listening.workers, .integer(1...256),
        default: .init(description: "usable cores") { _, machine in "\(min(256, machine.processors))" },
        "Event loops, one thread each."),
      Setting(
        "METRICS_PORT", \.listening.metricsPort, .port(allowingZero: true), default: .text("9464"),
        "A port for /metrics alone; 0 turns it off."),
      Setting(
        "METRICS_TOKEN", optional: \.listening.metricsToken, .text(1_024), isSecret: true,
        "When set, /metrics on PORT asks for it as a bearer token."),
      Setting(
        "TRUSTED_PROXIES", \.listening.trustedProxies, Form.addressBlock.list(), default: .text(""),
        "Addresses and blocks whose X-Forwarded-For is trusted, separated by commas."),
      Setting(
        "CORS_ORIGINS", \.listening.corsOrigins, Form.origin.list(), default: .text(""),
        "Origins from which browsers may call, separated by commas; `*` for any."),
      Setting(
        "PUBLIC_URL", optional: \.listening.publicURL, .ownOrigin,
        "The origin at which browsers find this server, such as https://garden.example.org, for links in mail."),
      Setting(
        "SHUTDOWN_DRAIN_SECONDS", \.listening.drainSeconds, .integer(0...600), default: .relaxed("0", serious: "5"),
        "How long the server goes on serving after SIGTERM, while /readyz says 503."),
      Setting(
        "SHUTDOWN_TIMEOUT_SECONDS", \.listening.shutdownSeconds, .integer(1...600), default: .text("20"),
        "How long requests in flight may take after that."),
    ]
  }
}

extension Form where Value == AddressBlock {
  /// A block of addresses or a single one.
  static var addressBlock: Form {
    Form("an address or a block such as 10.0.0.0/8", parse: { AddressBlock($0) }, show: { $0.description })
  }
}

extension Form where Value == String {
  /// An IP address to listen on.
  static var address: Form {
    Form(
      "an IP address",
      parse: { text in
        if text == "localhost" { return "127.0.0.1" }
        return PeerAddress(text) == nil ? nil : text
      }, show: { $0 })
  }

  /// An origin, or `*`. Read as browsers send it (RFC 6454, section 6.2), however it is written: `Origin` is compared
  /// with it letter by letter.
  static var origin: Form {
    Form("an origin such as https://example.org", parse: { $0 == "*" ? $0 : sentOrigin($0) }, show: { $0 })
  }

  /// The origin of this server's own pages.
  static var ownOrigin: Form {
    Form("an origin such as https://example.org", parse: { isOrigin($0) ? $0 : nil }, show: { $0 })
  }

  /// An origin as browsers send it: the host in lower case, and the port only where it is not the scheme's own. Nil for
  /// what is no origin.
  private static func sentOrigin(_ text: String) -> String? {
    guard isOrigin(text), let url = ServiceURL(text) else { return nil }
    let usualPort: UInt16 = url.scheme == "https" ? 443 : 80
    let port = url.port == usualPort ? nil : url.port
    return ServiceURL(scheme: url.scheme, host: url.host.lowercased(), port: port, path: "").description
  }

  private static func isOrigin(_ text: String) -> Bool {
    guard let url = ServiceURL(text), url.scheme == "http" || url.scheme == "https" else { return false }
    return text == "\(url.scheme)://\(url.authority)"
  }
}

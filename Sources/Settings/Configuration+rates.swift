extension Configuration {
  /// How many requests a client may make; nil means without limit.
  package struct Rates: Sendable {
    package internal(set) var anonymous: RequestRate?
    package internal(set) var user: RequestRate?
    package internal(set) var device: RequestRate?
    package internal(set) var registration: RequestRate?
    package internal(set) var passwordReset: RequestRate?
    package internal(set) var models: RequestRate?

    static let settings = [
      Setting(
        "RATE_LIMIT_ANONYMOUS", \.rates.anonymous, Form<RequestRate?>.rate, default: .rate,
        "Requests of one address (of one /64 of IPv6) without login or with an invalid one, as count/seconds or off."),
      Setting(
        "RATE_LIMIT_USER", \.rates.user, Form<RequestRate?>.rate, default: .rate,
        "Requests of one user, as count/seconds or off."),
      Setting(
        "RATE_LIMIT_DEVICE", \.rates.device, Form<RequestRate?>.rate, default: .rate,
        "Requests of one device, as count/seconds or off."),
      Setting(
        "RATE_LIMIT_REGISTRATION", \.rates.registration, Form<RequestRate?>.rate,
        default: .relaxed("off", serious: "60/3600"), "Registrations of one address, as count/seconds or off."),
      Setting(
        "RATE_LIMIT_PASSWORD_RESET", \.rates.passwordReset, Form<RequestRate?>.rate, default: .text("20/3600"),
        "Mails for a new password that one client address may ask for, as count/seconds or off."),
      Setting(
        "RATE_LIMIT_MODELS", \.rates.models, Form<RequestRate?>.rate, default: .text("60/3600"),
        "Insights that a language model words for one user, as count/seconds or off."),
    ]
  }
}

extension Setting.Default {
  /// The edge has limits of its own; these only stop what got past it.
  fileprivate static let rate = Self.relaxed("off", serious: "12000/60")
}

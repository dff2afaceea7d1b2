/// Where the server runs, from ENVIRONMENT: it decides defaults, and how strict the checks of secrets are.
package enum Deployment: String, Sendable, CaseIterable {
  case development, test, staging, production

  /// Whether weak or missing secrets are refused rather than warned about.
  package var refusesWeakSecrets: Bool { self == .production || self == .staging }
}

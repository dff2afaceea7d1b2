import Settings

/// The rate limits of one loop, by the kind of caller; nil where there is no limit.
package struct RateLimits {
  let anonymous: RateLimiter?
  let user: RateLimiter?
  let device: RateLimiter?
  package let registration: RateLimiter?
  package let passwordReset: RateLimiter?
  /// For requests of language models, which cost the operator money.
  package let models: RateLimiter?

  init(_ rates: Configuration.Rates, _ limiter: (RatePolicy) -> RateLimiter) {
    anonymous = rates.anonymous.map { limiter(RatePolicy("anonymous", $0)) }
    user = rates.user.map { limiter(RatePolicy("user", $0)) }
    device = rates.device.map { limiter(RatePolicy("device", $0)) }
    registration = rates.registration.map { limiter(RatePolicy("registration", $0)) }
    passwordReset = rates.passwordReset.map { limiter(RatePolicy("password-reset", $0)) }
    models = rates.models.map { limiter(RatePolicy("models", $0, of: "requests of language models")) }
  }
}

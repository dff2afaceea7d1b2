import JSON
import Values

/// The claims of a token as they stand in its payload; nil where one is missing.
///
/// Read by scanning, without a tree, because every request that is signed in passes here.
struct TokenPayload {
  /// Whether `iss` is our issuer.
  private(set) var isFromIssuer = false
  /// Whether `aud` is our audience, or has it among others (RFC 7519, section 4.1.3).
  private(set) var isForAudience = false
  private(set) var subject: Identifier?
  private(set) var session: Identifier?
  private(set) var identifier: Identifier?
  private(set) var role: Role?
  private(set) var issuedAt: Int64?
  private(set) var expiresAt: Int64?
  private(set) var notBefore: Int64?

  private var seen: Seen = []

  /// Reads a payload. A claim of the wrong form throws; what is no JSON object, or has a claim twice, is malformed.
  init(_ bytes: [UInt8], issuer: String, audience: String) throws(TokenError) {
    do {
      try bytes.withUnsafeBytes { bytes in
        var scanner = JSONScanner(bytes)
        guard try scanner.enterObject() else { throw TokenError.malformed }
        while let name = try scanner.nextMember() {
          switch name {
          case "iss":
            try note(.issuer)
            isFromIssuer = try scanner.text()?.string == issuer
            if !isFromIssuer { throw TokenError.issuer }
          case "aud":
            try note(.audience)
            isForAudience = try Self.names(audience, &scanner)
            if !isForAudience { throw TokenError.audience }
          default: try read(name, &scanner)
          }
        }
        try scanner.finish()
      }
    } catch let error as TokenError {
      throw error
    } catch {
      throw .malformed
    }
  }

  private mutating func read(_ name: JSONText, _ scanner: inout JSONScanner) throws {
    switch name {
    case "sub":
      try note(.subject)
      subject = try Self.identifier(&scanner)
    case "sid":
      try note(.session)
      session = try Self.identifier(&scanner)
    case "jti":
      try note(.identifier)
      identifier = try Self.identifier(&scanner)
    case "role":
      try note(.role)
      guard let text = try scanner.text() else { throw TokenError.claims }
      role = Role(named: text.string)
    case "iat":
      try note(.issuedAt)
      issuedAt = try Self.seconds(&scanner)
    case "exp":
      try note(.expiresAt)
      expiresAt = try Self.seconds(&scanner)
    case "nbf":
      try note(.notBefore)
      notBefore = try Self.seconds(&scanner)
    default: _ = try scanner.value()
    }
  }

  /// Notes that a claim has come; none may come twice (RFC 7519, section 4).
  private mutating func note(_ claim: Seen) throws(TokenError) {
    guard seen.isDisjoint(with: claim) else { throw .malformed }
    seen.formUnion(claim)
  }

  private static func names(_ audience: String, _ scanner: inout JSONScanner) throws -> Bool {
    guard try scanner.enterArray() else { return try scanner.text()?.string == audience }
    var isNamed = false
    while try scanner.nextElement() {
      if case .string(audience) = try scanner.value() { isNamed = true }
    }
    return isNamed
  }

  private static func identifier(_ scanner: inout JSONScanner) throws -> Identifier {
    guard let text = try scanner.text(), !text.isEscaped, let identifier = Identifier(text.bytes) else {
      throw TokenError.claims
    }
    return identifier
  }

  /// The latest date that is believed: the end of the year 9999.
  private static let latestSeconds: Int64 = 253_402_300_799

  /// A date in whole seconds, fractions cut off (RFC 7519, section 2: NumericDate).
  private static func seconds(_ scanner: inout JSONScanner) throws -> Int64 {
    switch try scanner.number() {
    case .integer(let seconds) where (0...latestSeconds).contains(seconds): return seconds
    case .double(let seconds) where seconds >= 0 && seconds <= Double(latestSeconds): return Int64(seconds)
    default: throw TokenError.claims
    }
  }

  /// The claims that have come.
  private struct Seen: OptionSet {
    let rawValue: UInt16
    static let issuer = Seen(rawValue: 1 << 0)
    static let audience = Seen(rawValue: 1 << 1)
    static let subject = Seen(rawValue: 1 << 2)
    static let session = Seen(rawValue: 1 << 3)
    static let identifier = Seen(rawValue: 1 << 4)
    static let role = Seen(rawValue: 1 << 5)
    static let issuedAt = Seen(rawValue: 1 << 6)
    static let expiresAt = Seen(rawValue: 1 << 7)
    static let notBefore = Seen(rawValue: 1 << 8)
  }
}

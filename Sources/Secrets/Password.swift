import CCrypto
import Values

/// Password hashes by scrypt, as text in the PHC format: `$scrypt$ln=15,r=8,p=3$salt$hash`, salt and hash in Base64.
///
/// Each call takes the time and memory of the cost: call them through `PasswordPool`, never on a loop.
package enum Password {
  static let saltLength = 16
  static let hashLength = 32

  /// A new hash of a password, with a salt of its own.
  package static func hash(_ password: String, cost: ScryptCost = .standard) -> String {
    let salt = [UInt8].random(count: saltLength)
    guard let hash = scrypt(password, salt, cost, length: hashLength) else {
      fatalError("libcrypto cannot compute scrypt")
    }
    return Stored(cost: cost, salt: salt, hash: hash).text
  }

  /// Whether a password has the hash `text`; false for one that is not in the format or beyond the bounds of a cost.
  package static func verify(_ password: String, against text: String) -> Bool {
    guard let stored = Stored(text),
      let hash = scrypt(password, stored.salt, stored.cost, length: stored.hash.count)
    else { return false }
    return constantTimeEquals(hash, stored.hash)
  }

  /// Whether a hash was made with another cost than passwords are hashed with now, or is not in the format.
  package static func needsRehash(_ text: String, cost: ScryptCost = .standard) -> Bool {
    guard let stored = Stored(text) else { return true }
    return stored.cost != cost || stored.salt.count < saltLength || stored.hash.count < hashLength
  }

  /// A hash that no password has, to verify against in place of a missing one, so that this takes the same time.
  static func placeholder(cost: ScryptCost) -> String {
    let salt = [UInt8](repeating: 0, count: saltLength)
    return Stored(cost: cost, salt: salt, hash: [UInt8](repeating: 0, count: hashLength)).text
  }

  private static func scrypt(_ password: String, _ salt: [UInt8], _ cost: ScryptCost, length: Int) -> [UInt8]? {
    var bytes = Array(password.utf8)
    defer { OPENSSL_cleanse(&bytes, bytes.count) }
    // Besides the blocks, libcrypto counts some that grow with p.
    let memory = ScryptCost.maximumBytes + (1 << 20)
    var hash = [UInt8](repeating: 0, count: length)
    let status = bytes.withUnsafeBytes { bytes in
      EVP_PBE_scrypt(
        bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, salt, salt.count,
        1 << cost.logarithm, cost.blockSize, cost.parallelism, memory, &hash, length)
    }
    return status == 1 ? hash : nil
  }

  /// The parts of a hash's text.
  private struct Stored {
    let cost: ScryptCost
    let salt: [UInt8]
    let hash: [UInt8]

    init(cost: ScryptCost, salt: [UInt8], hash: [UInt8]) {
      self.cost = cost
      self.salt = salt
      self.hash = hash
    }

    init?(_ text: String) {
      let fields = text.split(separator: "$", omittingEmptySubsequences: false)
      guard fields.count == 5, fields[0].isEmpty, fields[1] == "scrypt", let cost = Self.cost(fields[2]),
        let salt = Base64.standard.decode(fields[3]), (8...64).contains(salt.count),
        let hash = Base64.standard.decode(fields[4]), (16...64).contains(hash.count)
      else { return nil }
      self.init(cost: cost, salt: salt, hash: hash)
    }

    var text: String {
      "$scrypt$ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallelism)"
        + "$\(Base64.standard.encoded(salt))$\(Base64.standard.encoded(hash))"
    }

    private static func cost(_ text: Substring) -> ScryptCost? {
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      guard parts.count == 3, let logarithm = number(parts[0], after: "ln="), let size = number(parts[1], after: "r="),
        let parallelism = number(parts[2], after: "p=")
      else { return nil }
      return ScryptCost(logarithm: logarithm, blockSize: size, parallelism: parallelism)
    }

    private static func number(_ text: Substring, after name: String) -> UInt64? {
      text.hasPrefix(name) ? UInt64(digits: text.dropFirst(name.count)) : nil
    }
  }
}

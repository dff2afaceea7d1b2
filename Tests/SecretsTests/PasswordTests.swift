import Testing

@testable import Secrets

@Suite("A password hash")
struct PasswordTests {
  private static let cheap = ScryptCost(logarithm: 4, blockSize: 8, parallelism: 1)!

  private func bytes(_ hexadecimal: String) -> [UInt8] {
    stride(from: 0, to: hexadecimal.count, by: 2).map {
      UInt8(hexadecimal.dropFirst($0).prefix(2), radix: 16)!
    }
  }

  @Test(
    "is scrypt as in RFC 7914, section 12",
    arguments: [
      (
        "ln=10,r=8,p=16", "password", "NaCl",
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830da"
          + "c727afb94a83ee6d8360cbdfa2cc0640"
      ),
      (
        "ln=14,r=8,p=1", "pleaseletmein", "SodiumChloride",
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9"
          + "e61e85dc0d651e40dfcf017b45575887"
      ),
    ])
  func vectors(cost: String, password: String, salt: String, hash: String) {
    // The first vector's salt is shorter than any salt that is accepted here.
    let salt = Array(salt.utf8)
    let text = "$scrypt$\(cost)$\(Base64.standard.encoded(salt))$\(Base64.standard.encoded(bytes(hash)))"
    #expect(Password.verify(password, against: text) == (salt.count >= 8))
    #expect(!Password.verify(password + "x", against: text))
  }

  @Test("matches only its own password, and is never the same twice")
  func verifying() {
    for password in ["correct horse", "", "pässwörd 🔑 pässwörd", String(repeating: "x", count: 4_096)] {
      let hash = Password.hash(password, cost: Self.cheap)
      #expect(hash != Password.hash(password, cost: Self.cheap))
      #expect(Password.verify(password, against: hash))
      #expect(!Password.verify(password + " ", against: hash))
      #expect(!Password.verify(password.uppercased() + "X", against: hash))
    }
  }

  @Test("states the standard cost in its text, and needs a rehash where it has another")
  func costs() {
    let hash = Password.hash("correct horse")
    #expect(hash.hasPrefix("$scrypt$ln=15,r=8,p=3$"))
    #expect(hash.split(separator: "$").map(\.utf8.count) == [6, 13, 22, 43])
    #expect(Password.verify("correct horse", against: hash))
    #expect(!Password.needsRehash(hash))
    #expect(Password.needsRehash(hash, cost: Self.cheap))
    #expect(Password.needsRehash(Password.hash("x", cost: Self.cheap)))
    #expect(Password.needsRehash("md5"))
  }

  @Test("that is malformed, or would exhaust the machine, matches nothing")
  func malformed() {
    let good = Password.hash("correct horse", cost: Self.cheap)
    for text in [
      "", "$", "x" + good, good + "$", good + "=", String(good.dropLast(24)),
      good.replacing("scrypt", with: "bcrypt"), good.replacing("ln=4", with: "ln=21"),
      good.replacing("ln=4", with: "ln=20"), good.replacing("ln=4", with: "ln=0"), good.replacing("r=8", with: "r=33"),
      good.replacing("p=1", with: "p=-1"), good.replacing("p=1", with: "p=1,x=1"), good.replacing("r=8", with: "r="),
      good.replacing("ln=4", with: "ln=5"), good.replacing("r=8,p=1", with: "p=1,r=8"),
    ] {
      #expect(!Password.verify("correct horse", against: text), "\(text)")
    }
    #expect(!Password.verify("", against: Password.placeholder(cost: Self.cheap)))
  }
}

@Suite("The password policy")
struct PasswordPolicyTests {
  @Test(
    "refuses what is too short, too long, easily guessed, or contains control characters",
    arguments: [
      ("", "at least 12"), ("elevenchars", "at least 12"), (String(repeating: "🔑", count: 11), "at least 12"),
      (String(repeating: "blue heron ", count: 23) + "xyzw", "at most 256"), ("password1234", "try first"),
      ("PassWord1234", "try first"), ("qwertyuiop[]", "try first"), ("1qaz2wsx3edc", "try first"),
      ("correct horse battery staple", "try first"), ("aaaaaaaaaaaa", "try first"),
      ("abcabcabcabcabca", "try first"), ("bcdefghijklmn", "try first"), ("345678901234", "try first"),
      ("210987654321", "try first"), ("zyxwvutsrqpo", "try first"),
      ("twelve\tchars", "control characters"), ("twelve\u{85}chars", "control characters"),
    ])
  func refuses(password: String, part: String) {
    #expect(PasswordPolicy.fault(password)?.contains(part) == true, "\(PasswordPolicy.fault(password) ?? "accepted")")
  }

  @Test(
    "accepts everything else",
    arguments: [
      "twelve chars", "only lower case letters", "73914826507193", String(repeating: "🔑", count: 12) + "🍀",
      String(repeating: "a", count: 256), "password1234 and more", "abcdefghijklm!",
    ])
  func accepts(password: String) {
    #expect(PasswordPolicy.fault(password) == nil)
  }
}

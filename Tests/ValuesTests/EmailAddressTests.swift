import Testing

@testable import Values

@Suite("The check of an email address")
struct EmailAddressTests {
  @Test(
    "accepts mailboxes of RFC 5321, also beyond ASCII and with dots anywhere",
    arguments: [
      "a@b.c", "ada@example.org", "ada.lovelace+garden@mail.example.co.uk", "o'brien@x-y.example",
      "!#$%&*/=?^_`{|}~-@x.org",
      "6@1and1.com", "grüße@bücher.example", "用户@例え.テスト", "a@xn--bcher-kva.example", "a..b.@docomo.example",
      "\(String(repeating: "a", count: 64))@\(String(repeating: "b", count: 63)).org",
    ])
  func accepts(text: String) {
    #expect(EmailAddress.isAddress(text))
  }

  @Test(
    "refuses everything else, also quoted local parts and address literals",
    arguments: [
      "", "ada", "@example.org", "ada@", "ada@localhost", "a@b@example.org", "6@px.com*", "a@b_c.org", "a@-b.org",
      "a@b-.org",
      "a@b..org", "a@.b.org", "a@b.org.", "a b@c.org", "a@b .org",
      "a\u{A0}b@c.org",
      "a\u{7F}@b.org", "a\u{85}@b.org", "<a@b.org>", "a,b@c.org", "(a)@b.org", "\"a\"@b.org", "a@[192.0.2.1]",
      "a@b.org\r\nX: y",
      "\(String(repeating: "a", count: 65))@b.org", "a@\(String(repeating: "b", count: 64)).org",
      "a@\(String(repeating: "b.", count: 126))org",
    ])
  func refuses(text: String) {
    #expect(!EmailAddress.isAddress(text))
  }
}

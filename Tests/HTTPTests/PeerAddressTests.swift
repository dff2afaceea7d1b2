import Testing

@testable import HTTP

@Suite("An address")
struct PeerAddressTests {
  static let texts: [(String, String?)] = [
    ("127.0.0.1", "127.0.0.1"),
    ("255.255.255.255", "255.255.255.255"),
    ("::1", "::1"),
    ("2001:DB8:0::1", "2001:db8::1"),
    ("::ffff:10.1.2.3", "10.1.2.3"),
    ("127.1", nil),
    ("1.2.3.4:80", nil),
    ("[::1]", nil),
    ("fe80::1%eth0", nil),
    ("1.2.3.4\u{0}", nil),
    ("", nil),
  ]

  @Test("is read and written in its usual form", arguments: texts)
  func text(_ text: String, _ expected: String?) {
    #expect(PeerAddress(text)?.text == expected)
  }

  static let blocks: [(String, String, Bool)] = [
    ("10.0.0.0/8", "10.255.0.1", true),
    ("10.0.0.0/8", "11.0.0.1", false),
    ("10.9.9.9/8", "10.0.0.1", true),
    ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ("192.168.1.7", "192.168.1.7", true),
    ("192.168.1.7", "192.168.1.6", false),
    ("0.0.0.0/0", "8.8.8.8", true),
    ("0.0.0.0/0", "2001::1", false),
    ("::/0", "8.8.8.8", true),
    ("fd00::/8", "fdff::1", true),
    ("fd00::/8", "fe00::1", false),
    ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
    ("2001:db8::/65", "2001:db8:0:0:8000::1", false),
    ("::ffff:10.0.0.0/104", "10.1.1.1", true),
  ]

  @Test("lies in a block or not", arguments: blocks)
  func block(_ block: String, _ address: String, _ isInside: Bool) throws {
    let address = try #require(PeerAddress(address))
    #expect(AddressBlock(block)?.contains(address) == isInside)
  }

  @Test(
    "a malformed block is refused",
    arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "x/8", "1.2.3.4/8/8"])
  func malformed(_ text: String) { #expect(AddressBlock(text) == nil) }

  @Test(
    "a block shows its base and length",
    arguments: [
      ("10.9.9.9/8", "10.0.0.0/8"), ("192.0.2.7", "192.0.2.7/32"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"),
      ("2001:db8::1/33", "2001:db8::/33"), ("::1", "::1/128"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ])
  func shown(_ text: String, _ expected: String) { #expect(AddressBlock(text)?.description == expected) }
}

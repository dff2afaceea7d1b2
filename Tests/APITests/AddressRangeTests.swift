import Testing

@testable import API

/// The 16 bytes of an address, by way of a range that holds it alone.
private func contains(_ range: String, _ high: UInt64, _ low: UInt64) throws -> Bool {
  try #require(AddressRange(range)).contains(high: high, low: low)
}

private let v4: UInt64 = 0xFFFF_0000_0000

@Test("knows which addresses a range holds")
func rangeContents() throws {
  #expect(try contains("10.0.0.0/8", 0, v4 | 0x0A01_0203))
  #expect(try !contains("10.0.0.0/8", 0, v4 | 0x0B01_0203))
  #expect(try !contains("10.0.0.0/8", 0, 0x0A01_0203))
  #expect(try contains("192.0.2.7", 0, v4 | 0xC000_0207))
  #expect(try !contains("192.0.2.7", 0, v4 | 0xC000_0208))
  #expect(try contains("0.0.0.0/0", 0, v4 | 0xFFFF_FFFF))
  #expect(try !contains("0.0.0.0/0", 0x2001_0DB8_0000_0000, 1))
  #expect(try contains("::/0", 0x2001_0DB8_0000_0000, 1))
  #expect(try contains("::/0", 0, v4))
  #expect(try contains("2001:db8::/33", 0x2001_0DB8_7FFF_0000, .max))
  #expect(try !contains("2001:db8::/33", 0x2001_0DB8_8000_0000, 0))
  #expect(try contains("::1", 0, 1))
  #expect(try contains("2001:db8::/65", 0x2001_0DB8_0000_0000, .max >> 1))
  #expect(try !contains("2001:db8::/65", 0x2001_0DB8_0000_0000, .max))
}

@Test(
  "refuses what is no range",
  arguments: [
    "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8", "::/129", "::1/64", "10.0.0.0/-1", "10.0.0.0/+8",
    "10.0.0.0/8/9", "fe80::1%eth0", "host", "[::1]", " 10.0.0.1", "010.0.0.1",
  ])
func badRanges(text: String) {
  #expect(AddressRange(text) == nil)
}

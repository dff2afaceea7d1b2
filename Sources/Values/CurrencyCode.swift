/// A currency of the active ISO 4217 list, by its three letters.
package struct CurrencyCode: Hashable, Sendable, Comparable {
  // The three letters, the first of them most significant, so that the order is that of the text.
  fileprivate let letters: UInt32

  /// Reads three upper-case letters; nil unless they name an active currency.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 3 else { return nil }
    let letters = text.utf8.reduce(0) { $0 << 8 | UInt32($1) }
    guard Self.active.contains(letters) else { return nil }
    self.letters = letters
  }

  package static func < (left: CurrencyCode, right: CurrencyCode) -> Bool { left.letters < right.letters }

  /// The length of the text form in bytes.
  package static let textLength = 3

  private static let active = Set(list.split(separator: " ").map { $0.utf8.reduce(0) { $0 << 8 | UInt32($1) } })

  /// ISO 4217 list one, with its funds and metals, without XTS and XXX, which are no currencies.
  private static let list = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
    CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP \
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT \
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR \
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD \
    XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG
    """
}

extension CurrencyCode: CustomStringConvertible {
  /// The three letters.
  package var description: String { String(upTo: Self.textLength) { $0.append(self) } }
}

extension ByteCursor {
  /// Appends the three letters of a currency.
  package mutating func append(_ currency: CurrencyCode) {
    append(UInt8(truncatingIfNeeded: currency.letters >> 16))
    append(UInt8(truncatingIfNeeded: currency.letters >> 8))
    append(UInt8(truncatingIfNeeded: currency.letters))
  }
}

import Glibc
import JSON
import Values

/// Reads the readings of a request straight from its bytes; a faulty reading is rejected alone.
struct ReadingsDecoder {
  /// The most readings of a request.
  static let maximumCount = 1_000

  private let window: ReadingWindow
  private let types: SensorTypes
  private(set) var readings: [Reading] = []
  private(set) var rejections: [Rejection] = []
  private var count = 0

  init(window: ReadingWindow, types: SensorTypes) {
    self.window = window
    self.types = types
  }

  /// Thrown where an object names a member twice: readers of JSON differ on which one counts, so it is refused.
  private struct DuplicateMember: Error {}

  // MARK: Documents

  /// Reads `{"readings": […]}`. Throws `JSONError` for what is not JSON, and `ValidationError` for any other document,
  /// and for no readings or too many.
  mutating func readDocument(_ body: [UInt8]) throws {
    do {
      let isKnown = try body.withUnsafeBytes { try scanDocument($0) }
      guard isKnown else { throw Self.fault(of: try JSONReader.parse(body)) }
    } catch is DuplicateMember {
      // Reading it again as a tree finds the place.
      throw Self.fault(of: try JSONReader.parse(body))
    }
    try finish()
  }

  /// Reads one reading a line; blank lines do not count.
  mutating func readLines(_ body: [UInt8]) throws {
    try body.withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
        let end = memchr(rest.baseAddress!, 0x0A, rest.count).map { UnsafeRawPointer($0) - rest.baseAddress! }
        let line = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)])
        if !line.allSatisfy(\.isASCIIBlank) { try take(readLine(line)) }
        start += line.count + 1
      }
    }
    try finish()
  }

  /// Reads the document; false when it is not of that form, and then `fault` tells why.
  private mutating func scanDocument(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
    var scanner = JSONScanner(bytes)
    guard try scanner.enterObject(), case "readings"? = try scanner.nextMember(), try scanner.enterArray() else {
      return false
    }
    while try scanner.nextElement() { try take(readElement(&scanner), of: "/readings/") }
    guard try scanner.nextMember() == nil else { return false }
    try scanner.finish()
    return true
  }

  /// What is wrong with a document that is no `{"readings": […]}`.
  private static func fault(of document: JSONValue) -> ValidationError {
    var fields = Fields(document)
    _ = fields.required("readings", .array(1...maximumCount, of: .any))
    do throws(ValidationError) { try fields.finish() } catch { return error }
    return wrongCount
  }

  private func readLine(_ line: UnsafeRawBufferPointer) -> Result<Reading, Refusal> {
    var scanner = JSONScanner(line)
    do {
      let reading = try readElement(&scanner)
      try scanner.finish()
      return reading
    } catch {
      return .failure(Refusal(reason: .malformed, place: ""))
    }
  }

  // MARK: Readings

  /// Why a reading is rejected.
  private struct Refusal: Error {
    let reason: RejectionReason
    var type: SensorType?
    /// Where in the element the fault is, as a JSON Pointer; nil when its shape is not at fault.
    var place: String?
  }

  /// Adds a reading or its rejection, of an element of `list` or of a line.
  private mutating func take(_ result: Result<Reading, Refusal>, of list: String? = nil) throws {
    guard count < Self.maximumCount else { throw Self.wrongCount }
    switch result {
    case .success(let reading): readings.append(reading)
    case .failure(let refusal):
      let element = list.map { "\($0)\(count)" } ?? ""
      rejections.append(
        Rejection(
          index: count, reason: refusal.reason, type: refusal.type, pointer: refusal.place.map { element + $0 }))
    }
    count += 1
  }

  private func finish() throws {
    if count == 0 { throw Self.wrongCount }
  }

  private static var wrongCount: ValidationError {
    ValidationError("/readings", "must have 1 to \(maximumCount) elements")
  }

  /// What is known of a reading while its members are read.
  private struct Draft {
    var type: SensorType?
    var value: Double?
    var measuredAt: Timestamp?
    /// The first fault, and the place of the member that has it.
    var fault: (reason: RejectionReason, place: String)?
    private var seen: UInt8 = 0
    private var unknownNames: [String] = []

    mutating func note(_ reason: RejectionReason, _ name: String) {
      if fault == nil { fault = (reason, "/" + Place.escaped(name)) }
    }

    /// Notes that a known member is named, which may be once only.
    mutating func see(_ bit: UInt8) throws(DuplicateMember) {
      if seen & bit != 0 { throw DuplicateMember() }
      seen |= bit
    }

    mutating func see(unknown name: String) throws(DuplicateMember) {
      if unknownNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { throw DuplicateMember() }
      unknownNames.append(name)
      note(.unknownMember, name)
    }
  }

  /// Reads one element, and steps over the whole of it whatever it is.
  private func readElement(_ scanner: inout JSONScanner) throws -> Result<Reading, Refusal> {
    guard try scanner.enterObject() else {
      _ = try scanner.value()
      return .failure(Refusal(reason: .notAnObject, place: ""))
    }
    var draft = Draft()
    while let name = try scanner.nextMember() {
      switch name {
      case "sensorType":
        try draft.see(1)
        try readType(&scanner, &draft)
      case "value":
        try draft.see(2)
        try readValue(&scanner, &draft)
      case "measuredAt":
        try draft.see(4)
        try readTime(&scanner, &draft)
      default:
        try draft.see(unknown: name.string)
        _ = try scanner.value()
      }
    }
    return judge(draft)
  }

  private func readType(_ scanner: inout JSONScanner, _ draft: inout Draft) throws(JSONError) {
    guard let text = try scanner.text() else { return try Self.skip("sensorType", &scanner, &draft) }
    draft.type = text.isEscaped ? types.type(text.string) : types.type(text.bytes)
    if draft.type == nil { draft.note(.invalidSensorType, "sensorType") }
  }

  private func readTime(_ scanner: inout JSONScanner, _ draft: inout Draft) throws(JSONError) {
    guard let text = try scanner.text() else { return try readUnixTime(&scanner, &draft) }
    draft.measuredAt = text.isEscaped ? Timestamp(text.string) : Timestamp(text.bytes)
    if draft.measuredAt == nil { draft.note(.invalidTime, "measuredAt") }
  }

  private func readUnixTime(_ scanner: inout JSONScanner, _ draft: inout Draft) throws(JSONError) {
    do throws(JSONError) {
      guard let number = try scanner.number() else { return try Self.skip("measuredAt", &scanner, &draft) }
      guard case .integer(let time) = number else { return draft.note(.invalidTime, "measuredAt") }
      draft.measuredAt = Timestamp(unixTime: time)
    } catch {
      guard error.kind == .numberTooLarge else { throw error }
      draft.note(.invalidTime, "measuredAt")
    }
  }

  private func readValue(_ scanner: inout JSONScanner, _ draft: inout Draft) throws(JSONError) {
    do throws(JSONError) {
      guard let number = try scanner.number() else { return try Self.skip("value", &scanner, &draft) }
      draft.value = number.doubleValue
    } catch {
      // `1e999` is JSON, and the scanner has stepped over it.
      guard error.kind == .numberTooLarge else { throw error }
      draft.note(.notFinite, "value")
    }
  }

  /// Steps over a value of the wrong type; null counts as absent.
  private static func skip(
    _ name: String, _ scanner: inout JSONScanner, _ draft: inout Draft
  ) throws(JSONError) {
    if try scanner.null() { return }
    _ = try scanner.value()
    draft.note(.wrongType, name)
  }

  private func judge(_ draft: Draft) -> Result<Reading, Refusal> {
    if let (reason, place) = draft.fault { return .failure(Refusal(reason: reason, type: draft.type, place: place)) }
    guard let type = draft.type, let value = draft.value else {
      let place = draft.type == nil ? "/sensorType" : "/value"
      return .failure(Refusal(reason: .missingMember, type: draft.type, place: place))
    }
    let measuredAt = draft.measuredAt ?? window.now
    let reason: RejectionReason
    if measuredAt > window.newest {
      reason = .inTheFuture
    } else if measuredAt < window.oldest {
      reason = .tooOld
    } else if !(type.known?.range ?? Reading.values).contains(value) {
      reason = .outOfRange
    } else {
      return .success(Reading(type: type, value: value, measuredAt: measuredAt, index: count))
    }
    return .failure(Refusal(reason: reason, type: type))
  }
}

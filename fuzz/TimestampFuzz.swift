import Glibc
import Testing
import Values

@Suite("Fuzzing timestamps")
struct TimestampFuzz {
  @Test("a moment that is read is the one that the C library's calendar has, and writes back as itself")
  func timestamps() {
    let tokens = [
      "2026-11-21T09:30:00.000Z", "T", "Z", "+", "-", ":", ".", "00", "29", "31", "59", "23", "9999", "0000", "02",
    ]
    fuzz("timestamp", tokens: tokens) { bytes in
      guard let timestamp = Timestamp(bytes) else { return bytes.count }
      // Accepted timestamps always have their digits in the same places.
      func number(_ start: Int, _ count: Int) -> Int32 {
        bytes[start..<start + count].reduce(0) { $0 * 10 + Int32($1) - 48 }
      }
      var parts = tm()
      parts.tm_year = number(0, 4) - 1_900
      parts.tm_mon = number(5, 2) - 1
      parts.tm_mday = number(8, 2)
      parts.tm_hour = number(11, 2)
      parts.tm_min = number(14, 2)
      parts.tm_sec = number(17, 2)
      var seconds = Int64(timegm(&parts))
      let sign = bytes[max(0, bytes.count - 6)]
      if bytes.count >= 25, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
        let minutes = Int64(number(bytes.count - 5, 2) * 60 + number(bytes.count - 2, 2))
        seconds -= (sign == UInt8(ascii: "+") ? 1 : -1) * minutes * 60
      }
      guard timestamp.unixMilliseconds.floorDivided(by: 1_000) == seconds else { throw Finding("read as \(timestamp)") }
      guard (0...253_402_300_799).contains(seconds) else { return -1 }
      guard Timestamp(timestamp.description) == timestamp else { throw Finding("written as \(timestamp)") }
      return -2 - Int(seconds / 100_000_000)
    }
  }
}

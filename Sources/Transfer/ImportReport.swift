import JSON
import Web

/// What an import has created, skipped and found faulty.
struct ImportReport {
  /// The most faults that are listed.
  static let maximumFaults = 100

  /// Something wrong with a line.
  struct LineFault {
    let line: Int
    let fault: Fault
  }

  private(set) var created: [LineKind: Int] = [:]
  private(set) var skipped: [LineKind: Int] = [:]
  /// The first `maximumFaults` of the faults.
  private(set) var faults: [LineFault] = []
  /// The number of all faults.
  private(set) var faultCount = 0

  mutating func countCreated(_ kind: LineKind, _ count: Int) { if count > 0 { created[kind, default: 0] += count } }
  mutating func countSkipped(_ kind: LineKind, _ count: Int) { if count > 0 { skipped[kind, default: 0] += count } }

  mutating func fault(_ line: Int, _ fault: Fault) {
    faultCount += 1
    if faults.count < Self.maximumFaults { faults.append(LineFault(line: line, fault: fault)) }
  }

  func body(isDryRun: Bool) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("dryRun", isDryRun)
      for (name, counts) in [("created", created), ("skipped", skipped)] {
        json.key(name)
        json.object { json in
          for kind in LineKind.allCases {
            guard let count = counts[kind] else { continue }
            json.key(kind.rawValue)
            json.integer(Int64(count))
          }
        }
      }
      json.key("errors")
      json.raw(faultsJSON)
      json.member("errorCount", faultCount)
    }
    return json.take()
  }

  /// The faults as a JSON array.
  var faultsJSON: [UInt8] {
    var json = JSONWriter()
    json.array { json in
      for fault in faults {
        json.object { json in
          json.member("line", fault.line)
          json.member("pointer", fault.fault.pointer)
          json.member("detail", fault.fault.detail)
        }
      }
    }
    return json.take()
  }
}

import Values
import JSON

/// What a rule concludes: the same points always give the same finding.
package struct Finding {
  /// The most probes that a title or text names; the evidence has them all.
  package static let maximumNames = 3

  package let severity: Severity
  /// A few words without numbers, so that two findings of one state of the garden have the same title.
  package let title: String
  /// A few sentences for the grower.
  package let text: String
  /// The numbers that it rests on: a JSON object.
  package let evidence: [UInt8]

  /// Makes a finding. Its text says how many of the garden's devices were not looked at.
  package init(
    _ severity: Severity, _ title: String, _ text: String, devicesLeftOut: Int = 0,
    evidence: (inout JSONWriter) -> Void
  ) {
    self.severity = severity
    self.title = title
    self.text =
      switch devicesLeftOut {
      case 0: text
      case 1: text + " One more device was not looked at."
      default: text + " \(devicesLeftOut) more devices were not looked at."
      }
    var json = JSONWriter()
    json.object { json in
      evidence(&json)
      json.member("devicesLeftOut", devicesLeftOut > 0 ? devicesLeftOut : nil)
    }
    self.evidence = json.take()
  }

  /// Joins names for a sentence: "A, B and 3 more".
  package static func list(_ names: [String]) -> String {
    let shown = names.prefix(maximumNames)
    let rest = names.count - shown.count
    if rest > 0 { return shown.joined(separator: ", ") + " and \(rest) more" }
    guard shown.count > 1 else { return shown.first ?? "" }
    return shown.dropLast().joined(separator: ", ") + " and " + shown.last!
  }
}

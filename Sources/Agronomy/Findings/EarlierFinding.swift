import Values

/// An earlier finding of the same rule.
package struct EarlierFinding {
  package let at: Timestamp
  let severity: Severity
  let evidence: Evidence
  /// Whether the server told it by itself; otherwise only the user who asked has heard of it.
  let isTold: Bool

  /// `evidence` is that of the finding.
  package init(at: Timestamp, severity: Severity, evidence: [UInt8], isTold: Bool) {
    self.at = at
    self.severity = severity
    self.evidence = Evidence(json: evidence)
    self.isTold = isTold
  }

  /// An earlier finding that the server told by itself.
  package init(at: Timestamp, _ finding: Finding) {
    self.init(at: at, severity: finding.severity, evidence: finding.evidence, isTold: true)
  }
}

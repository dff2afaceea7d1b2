import Values

/// A finding of the same rule from before.
package struct EarlierFinding {
  package let at: Timestamp
  let severity: Severity
  let evidence: Evidence
  /// Whether the pass told it; what somebody asked for, nobody else has heard.
  let isTold: Bool

  /// `evidence` is that of its finding.
  package init(at: Timestamp, severity: Severity, evidence: [UInt8], isTold: Bool) {
    self.at = at
    self.severity = severity
    self.evidence = Evidence(json: evidence)
    self.isTold = isTold
  }

  /// A finding that the pass tells.
  package init(at: Timestamp, _ finding: Finding) {
    self.init(at: at, severity: finding.severity, evidence: finding.evidence, isTold: true)
  }
}

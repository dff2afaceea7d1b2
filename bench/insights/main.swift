import Agronomy
import Glibc
import StationYears
import Values

// Evaluates the rules on station years: `insights-eval FOLDER` prints the tables of docs/insights.md, and exits 1 if
// more bounds are missed than that page lists. `insights-eval FOLDER fit` prints the table of `FrostPrior`; `frost` and
// `faults` evaluate only one part.

/// The number of figures of a station that miss their bounds, explained in docs/insights.md; any more are a fault.
let knownMisses = ["Amsterdam": 5, "Greensboro": 2, "Sand Point": 1, "Turin": 7]

/// The stations, in the order of their names.
func stations(in folder: String) throws -> [StationYear] {
  guard let directory = opendir(folder) else { throw Text.Failure(message: "\(folder) cannot be read") }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name.hasSuffix(".csv") { names.append(name) }
  }
  return try names.sorted().map { try StationYear(file: "\(folder)/\($0)") }
}

do {
  let arguments = CommandLine.arguments.dropFirst()
  let stations = try stations(in: arguments.first ?? ".terroir/stations")
  if arguments.contains("fit") {
    print(Fit.table(stations.filter(\.isFitted)))
    exit(0)
  }
  var frost = Table(head: FrostEvaluation.head)
  var faults = Table(head: FaultEvaluation.head)
  let parts = ["frost", "faults"].filter { part in arguments.count < 2 || arguments.contains(part) }
  for station in stations {
    let progress = "Evaluating on \(station.name)…\n"
    _ = write(STDERR_FILENO, progress, progress.utf8.count)
    if parts.contains("frost") { frost.rows.append(FrostEvaluation(station, seed: 1).row) }
    if parts.contains("faults") { faults.rows.append(FaultEvaluation(station, seed: 2).row) }
  }
  print("### Frost\n\n\(frost.markdown)\n### Faults, and a healthy year\n\n\(faults.markdown)")
  let isKept = (frost.rows + faults.rows).allSatisfy { row in
    row.count { !$0.isKept } <= knownMisses[row[0].text, default: 0]
  }
  exit(isKept ? 0 : 1)
} catch {
  print((error as? Text.Failure)?.message ?? "\(error)")
  exit(2)
}

import Glibc
import Testing

/// A fault that an input reveals; refusing the input is none.
struct Finding: Error {
  let what: String

  init(_ what: String) { self.what = what }
}

/// Runs one subject over its corpus and then over mutations of it.
///
/// By default a short, deterministic run, as a test among tests; with `FUZZ_SECONDS`, for that long, from the seed
/// `FUZZ_SEED` or a random one. An input with a new outcome is kept to mutate further.
func fuzz(_ subject: String, tokens: [String], _ check: (UnsafeRawBufferPointer) throws -> Int) {
  let seconds = variable("FUZZ_SECONDS")
  let seed = variable("FUZZ_SEED") ?? (seconds == nil ? 1 : UInt64.random(in: 0...UInt64.max))
  let guarded = GuardedInput(subject: subject)
  var seen: Set<Int> = []
  var mutator = Mutator(pool: [], tokens: tokens, seed: seed)
  var runs = 0

  /// Whether fuzzing continues.
  func run(_ input: [UInt8]) -> Bool {
    runs += 1
    do {
      if seen.insert(try check(guarded.place(input))).inserted { mutator.keep(input) }
      return true
    } catch {
      Issue.record("\(subject), seed \(seed), run \(runs): \(error) for \(input.count) bytes: \(escaped(input))")
      return false
    }
  }

  for input in corpus(subject) where !run(input) { return guarded.finish() }
  for input in corpus(subject) { mutator.keep(input) }
  let end = time(nil) + Int(seconds ?? 0)
  let usualRuns = 3_000
  while seconds == nil ? runs < usualRuns : time(nil) < end {
    if !run(mutator.next()) { break }
  }
  guarded.finish()
  if seconds != nil { print("\(subject): \(runs) runs from seed \(seed), \(seen.count) outcomes") }
}

private func variable(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

private func escaped(_ input: [UInt8]) -> String {
  input.map { byte in
    (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\\")
      ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}

/// The folder with a folder of inputs for each subject.
func corpusFolder(_ file: StaticString = #filePath) -> String {
  "\(file)".split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/corpus"
}

/// The checked-in inputs of a subject, one file each.
private func corpus(_ subject: String) -> [[UInt8]] {
  let folder = "\(corpusFolder())/\(subject)"
  guard let directory = opendir(folder) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if !name.hasPrefix(".") { names.append(name) }
  }
  // Sorted: the order of a directory varies, and runs of a seed must not.
  return names.sorted().compactMap { name in
    guard let file = fopen("\(folder)/\(name)", "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: Mutator.longest)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes
  }
}

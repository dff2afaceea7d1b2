import Glibc

/// Memory that ends where its input ends, so that reading beyond it faults at once.
///
/// The memory is a file, `fuzz/crash-<subject>-<process>`: after a crash, its end is the input.
final class GuardedInput {
  private static let pageBytes = 4_096
  private let base: UnsafeMutableRawPointer
  private let path: String

  init(subject: String) {
    // Per process: another run that truncates and fills the same file would cause faults as well.
    path = "\(corpusFolder())/../crash-\(subject)-\(getpid())"
    let fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
    precondition(fd >= 0 && ftruncate(fd, Self.pageBytes) == 0, "cannot write \(path)")
    guard let reserved = mmap(nil, 2 * Self.pageBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      let page = mmap(reserved, Self.pageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0),
      page != MAP_FAILED
    else { preconditionFailure("cannot map \(path)") }
    base = page
    close(fd)
  }

  /// Copies an input to the end of the memory, and returns it there; valid until the next call.
  func place(_ input: [UInt8]) -> UnsafeRawBufferPointer {
    precondition(input.count <= Self.pageBytes)
    memset(base, 0, Self.pageBytes - input.count)
    let start = base + Self.pageBytes - input.count
    input.withUnsafeBytes { bytes in if let source = bytes.baseAddress { memcpy(start, source, bytes.count) } }
    return UnsafeRawBufferPointer(start: start, count: input.count)
  }

  /// Removes the file, since nothing crashed.
  func finish() { unlink(path) }

  deinit { munmap(base, 2 * Self.pageBytes) }
}

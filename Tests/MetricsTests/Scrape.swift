import Glibc

@testable import Metrics

/// The whole exposition as text.
func scrape(_ registry: Registry, _ format: ExpositionFormat = .text) -> String {
  var bytes: [UInt8] = []
  registry.render(format, into: &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

/// The lines of the samples called `name`, without metadata.
func lines(of name: String, _ text: String) -> [String] {
  text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
}

/// Runs `body` on `count` new threads at once and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  final class Work {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }
  let threads = (0..<count).map { index in
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work { body(index) })
    let code = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, work.toOpaque())
    precondition(code == 0, "no thread")
    return thread
  }
  for thread in threads { pthread_join(thread, nil) }
}

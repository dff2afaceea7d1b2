import Synchronization
import Web

/// Keeps the documentation of the route table for all loops, once it has been asked for.
package final class DocumentationShelf: Sendable {
  private let made = Mutex<Documentation?>(nil)

  package init() {}

  /// Returns the document and the page that describe the API; `describe` makes them if there are none yet. Two loops
  /// that are asked at once may both make them, alike, and neither waits for the other (invariant 4).
  func documentation(_ describe: () -> Documentation) -> Documentation {
    if let documentation = made.withLock({ $0 }) { return documentation }
    let documentation = describe()
    made.withLock { $0 = documentation }
    return documentation
  }
}

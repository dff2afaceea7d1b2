import Synchronization
import Web

/// Where the documentation of the route table stands for all loops once somebody has asked for it.
package final class DocumentationShelf: Sendable {
  private let made = Mutex<Documentation?>(nil)

  package init() {}

  /// The document and the page that describe the API: those that are there, or else what `describe` makes. Two loops
  /// that are asked at once may both make them, the same, and neither waits for the other (invariant 4).
  func documentation(_ describe: () -> Documentation) -> Documentation {
    if let documentation = made.withLock({ $0 }) { return documentation }
    let documentation = describe()
    made.withLock { $0 = documentation }
    return documentation
  }
}

import Synchronization
import Web

/// Where the documentation of the route table stands once a loop has made it, for all loops.
package final class DocumentationShelf: Sendable {
  private let made = Mutex<Documentation?>(nil)

  package init() {}

  /// The document and the page that describe the API; there once a loop serves.
  var documentation: Documentation { made.withLock { $0! } }

  /// Makes the documentation of the route table, unless another loop has.
  package func describe(_ endpoints: [Endpoint], version: String) {
    made.withLock { documentation in
      if documentation == nil { documentation = Documentation(of: endpoints, version: version) }
    }
  }
}

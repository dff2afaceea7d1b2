import HTTP
import Web

/// The OpenAPI document and the reference page, made once from the route table that serves.
package final class Documentation: Sendable {
  let openAPI: WebFile
  let reference: WebFile

  package init(of endpoints: [Endpoint], version: String) {
    openAPI = WebFile("application/json", OpenAPIDocument(endpoints: endpoints, version: version).bytes())
    reference = ReferencePage(endpoints: endpoints, version: version).page()
  }
}

import HTTP
import Web

/// The pages that describe the API, and the files that pages load.
package struct DocumentationPages: EndpointGroup {
  private let documentation: () -> Documentation

  /// Has `describe` make the pages when they are first asked for: on few servers they ever are, and it takes time and
  /// memory.
  package init(shelf: DocumentationShelf, describe: @escaping () -> Documentation) {
    documentation = { shelf.documentation(describe) }
  }

  private static let files = Dictionary(
    uniqueKeysWithValues: Asset.all.filter { $0.mediaType != nil }.map { ($0.name, WebFile($0)) })

  package var endpoints: [Endpoint] {
    [
      Endpoint(
        "getOpenAPIDocument", method: .get, template: "/openapi.json", access: .open,
        summary: "The OpenAPI 3.1 document",
        details: "Made from the route table that the server uses.", tag: "Documentation",
        success: Endpoint.Success(200, .any, headers: ["ETag"]),
        handler: .async { call in documentation().openAPI.response(to: call.request) }),
      Endpoint(
        "getReferencePage", method: .get, template: "/docs", access: .open, summary: "The reference page",
        tag: "Documentation",
        success: .page,
        handler: .async { call in documentation().reference.response(to: call.request) }),
      Endpoint(
        "getAsset", method: .get, template: "/assets/{name}", access: .open,
        summary: "A script, style or image of the pages",
        tag: "Pages",
        success: Endpoint.Success(
          200, .string(), mediaTypes: ["text/css", "text/javascript", "image/svg+xml"], headers: ["ETag"]),
        handler: .async { call in
          guard let file = Self.files[call.request.parameter("name")] else {
            throw Problem(.notFound, "There is no such file.")
          }
          return file.response(to: call.request)
        }),
    ]
  }
}

/// What all pages have around them: head, navigation and foot.
package enum PageShell {
  static let mediaType = "text/html; charset=utf-8"

  /// A whole page.
  ///
  /// - Parameters:
  ///   - title: its name, as text.
  ///   - path: the page in the navigation that it is or belongs to.
  ///   - script: the script that it runs, without `.js`.
  ///   - main: its content, as HTML.
  package static func page(title: String, at path: String, script: String? = nil, main: [UInt8]) -> WebFile {
    var name = HTMLWriter()
    name.text(title)
    let tag = script.map { "<script type=\"module\" src=\"/assets/\($0).js\"></script>\n" } ?? ""
    var page = Asset.named("shell.html").filled(["script": Array(tag.utf8)])
    page.replace(Array("<a href=\"\(path)\">".utf8), with: Array("<a href=\"\(path)\" aria-current=\"page\">".utf8))
    // What others wrote comes last, the title before the content in the page: nothing in them is a place to fill.
    page.replace(Array("{{main}}".utf8), with: main, maxReplacements: 1)
    page.replace(Array("{{title}}".utf8), with: name.bytes, maxReplacements: 1)
    return WebFile(mediaType, page)
  }
}

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
    // In this order: the first one detects whether the second one runs.
    let tags =
      script.map {
        "<script defer src=\"/assets/whole.js\"></script>\n"
          + "<script type=\"module\" src=\"/assets/\($0).js\"></script>\n"
      } ?? ""
    let page = Asset.named("shell.html").filled([
      "title": name.bytes, "script": Array(tags.utf8), "at \(path)": Array(" aria-current=\"page\"".utf8), "main": main,
    ])
    return WebFile(mediaType, page)
  }

  /// A page that says why what was asked for is not shown. `title` and `detail` are text; `way` is HTML with a link to
  /// go on by.
  package static func notice(_ title: String, _ detail: String, at path: String = "", way: [UInt8] = []) -> WebFile {
    var (name, words) = (HTMLWriter(), HTMLWriter())
    name.text(title)
    words.text(detail)
    let main = Asset.named("absent.html").filled(["name": name.bytes, "detail": words.bytes, "way": way])
    return page(title: title, at: path, main: main)
  }
}

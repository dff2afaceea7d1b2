import HTTP
import Web

/// An endpoint as a section of the reference page.
extension Endpoint {
  /// Writes the section.
  func writeReference(to html: inout HTMLWriter) {
    html.element("article", ["class": "operation", "id": name]) { html in
      html.element("h3") { html in
        html.element("span", ["class": "method \(method.text.lowercased())"], method.text)
        html.text(" " + template)
      }
      html.element("p") { html in html.element("strong", summary) }
      if !details.isEmpty { html.element("p") { html in html.prose(details) } }
      html.element("p", ["class": "quiet"], access.sentence + scopeSentence)
      writeParameters(to: &html)
      writeBody(to: &html)
      html.element("h4", "Example")
      html.element("pre", ["tabindex": "0"]) { html in html.element("code", curl) }
      writeAnswer(to: &html)
    }
  }

  /// The scope that a personal access token needs, as a sentence behind the one on who may call.
  private var scopeSentence: String {
    if scopes.isEmpty { return access == .user ? " A personal access token cannot call it." : "" }
    return " A personal access token needs the scope \(scopes.map(\.rawValue).joined(separator: " or "))."
  }

  private func writeParameters(to html: inout HTMLWriter) {
    let named = parameters + conditions
    if named.isEmpty { return }
    html.element("h4", "Parameters")
    html.element("ul", ["class": "members"]) { html in
      for parameter in named {
        html.element("li") { html in
          html.element("code", parameter.name)
          html.text(" ")
          html.element("span", ["class": "quiet"]) { html in
            if parameter.place == .header { html.text("header, ") }
            parameter.schema.writeType(to: &html)
            if parameter.isRequired { html.text(", required") }
          }
          html.text(". ")
          html.prose(parameter.description)
        }
      }
    }
  }

  private func writeBody(to html: inout HTMLWriter) {
    guard let body else { return }
    html.element("h4") { html in
      html.text("Body: ")
      html.element("code", body.mediaTypes.joined(separator: ", "))
    }
    body.schema.writeMembers(to: &html)
  }

  private func writeAnswer(to html: inout HTMLWriter) {
    html.element("h4", "Answer")
    html.element("p") { html in
      html.element("strong", ["class": "number"], String(success.status))
      html.text(" \(Status(rawValue: UInt16(success.status)).reason)")
      guard let schema = success.schema else { return }
      html.text(", ")
      html.element("code", success.mediaTypes.joined(separator: ", "))
      if schema.isNamed {
        html.text(": ")
        schema.writeType(to: &html)
      }
      guard let variant = success.variant else { return }
      html.text(", or ")
      html.element("code", variant.mediaType)
      html.text(": ")
      variant.schema.writeType(to: &html)
    }
    if let schema = success.schema, !schema.isNamed, success.mediaTypes.contains(where: \.isJSON) {
      schema.writeMembers(to: &html)
    }
    if let example = success.schema?.example {
      html.element("pre", ["tabindex": "0"]) { html in html.element("code", example) }
    }
    let own = allRefusals.filter { !Self.commonRefusals.contains($0) }
    if own.isEmpty { return }
    html.element("p") { html in
      html.text("Refusals: ")
      for (index, code) in own.enumerated() {
        if index > 0 { html.text(", ") }
        html.text("\(code.status) ")
        html.element("code", code.rawValue)
      }
      html.text("; and ")
      html.element("a", ["href": "#problems"], "those of every operation")
      html.text(".")
    }
  }

  /// A request as a shell command.
  var curl: String {
    var path = template
    for name in pathParameters { path.replace("{\(name)}", with: Self.isWord(name) ? name.uppercased() : "ID") }
    let required = parameters.filter { $0.place == .query && $0.isRequired }.map { "\($0.name)=…" }
    if !required.isEmpty { path += "?" + required.joined(separator: "&") }
    var lines = ["curl -s \(method == .get ? "" : "-X \(method.text) ")\"$TERROIR\(path)\""]
    if access != .open && access != .anyone { lines.append("-H \"Authorization: Bearer $TOKEN\"") }
    for parameter in parameters where parameter.place == .header && parameter.isRequired {
      lines.append("-H '\(parameter.name): \(parameter.name == "Idempotency-Key" ? "order-1" : "…")'")
    }
    if let body {
      lines.append("-H 'Content-Type: \(body.mediaTypes[0])'")
      let example = body.example.replacing("'", with: "'\\''")
      lines.append(example.contains("\n") ? "--data-binary '\(example)'" : "-d '\(example)'")
    }
    return lines.joined(separator: " \\\n  ")
  }
}

extension Access {
  /// Who may call, as a sentence.
  fileprivate var sentence: String {
    switch self {
    case .open: "Open to anyone."
    case .anyone: "Open to anyone; with a token, it also serves what is yours."
    case .user: "For signed-in users."
    case .userOrDevice: "For signed-in users, and for devices by their key."
    case .device: "For devices by their key."
    case .administrator: "For administrators."
    }
  }
}

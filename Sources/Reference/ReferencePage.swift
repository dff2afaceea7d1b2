import HTTP
import Web

/// The reference page: every endpoint of the route table in prose, with examples, shapes and problems.
///
/// It is read without any script; the script only filters.
struct ReferencePage {
  let endpoints: [Endpoint]
  let version: String

  /// The whole page.
  func page() -> WebFile {
    var html = HTMLWriter()
    writeHead(to: &html)
    html.element("div", ["class": "reference"]) { html in
      writeContents(to: &html)
      html.element("div") { html in
        for tag in tags { writeChapter(tag, to: &html) }
        writeProblems(to: &html)
        writeSchemas(to: &html)
      }
    }
    return PageShell.page(title: "API reference", at: "/docs", script: "docs", main: html.bytes)
  }

  private var tags: [String] { OpenAPIDocument.tags(of: endpoints) }

  private func writeHead(to html: inout HTMLWriter) {
    html.element("h1", "API reference")
    html.element("p", ["class": "quiet"]) { html in
      html.text("Version \(version) · \(endpoints.count) operations · made from the table that serves them · also as ")
      html.element("a", ["href": "/openapi.json"], "OpenAPI 3.1")
    }
    html.markup(
      """
      <p>Requests and answers are JSON, ids are UUIDs, times are UTC (<code>2026-11-21T09:30:00.000Z</code>), money is in
      whole minor units. Unknown members are refused; a problem lists all faults of a body at once. Lists take
      <code>limit</code> and <code>cursor</code>; <code>nextCursor</code> leads to the next page. Send an
      <code>ETag</code> back as <code>If-None-Match</code> to save a body, as <code>If-Match</code> to change only what
      you saw. The examples need the server's address and, where they say so, a token:</p>
      <pre tabindex="0"><code>export TERROIR=http://localhost:3000
      curl -s "$TERROIR/api/sessions" -H 'Content-Type: application/json' \\
        -d '{"email": "you@example.org", "password": "…"}'
      export TOKEN=…   # the accessToken of the answer; a device uses its key</code></pre>
      <form class="search" id="search" role="search" hidden>
      <label for="words">Search the operations</label>
      <input id="words" type="search" autocomplete="off" placeholder="e.g. garden readings csv">
      <p class="quiet" role="status" id="count"></p>
      </form>

      """)
  }

  private func writeContents(to html: inout HTMLWriter) {
    html.element("nav", ["class": "contents", "aria-label": "Contents"]) { html in
      html.element("details", ["open": ""]) { html in
        html.element("summary", "Contents")
        html.element("ul") { html in
          for tag in tags { writeContents(of: tag, to: &html) }
          html.markup(##"<li><a href="#problems"><strong>Problems</strong></a></li>"##)
          html.markup(##"<li><a href="#schemas"><strong>Shapes</strong></a></li>"##)
        }
      }
    }
  }

  private func writeContents(of tag: String, to html: inout HTMLWriter) {
    html.element("li") { html in
      html.element("strong", tag)
      html.element("ul") { html in
        for endpoint in endpoints where endpoint.tag == tag {
          html.element("li") { html in
            html.element("a", ["href": "#\(endpoint.name)"], endpoint.summary)
          }
        }
      }
    }
  }

  private func writeChapter(_ tag: String, to html: inout HTMLWriter) {
    html.element("section", ["class": "chapter"]) { html in
      html.element("h2", tag)
      for endpoint in endpoints where endpoint.tag == tag { endpoint.writeReference(to: &html) }
    }
  }

  private func writeProblems(to html: inout HTMLWriter) {
    html.element("section", ["class": "problems", "id": "problems"]) { html in
      html.element("h2", "Problems")
      html.markup(
        """
        <p>A refusal is <code>application/problem+json</code> (RFC 9457). Its <code>type</code> is
        <code>urn:terroir:problem:</code> and one of these; its <code>detail</code> says what is wrong with this
        request, <code>errors</code> where, and <code>requestId</code> finds the line in the server's log. Every
        operation may return those marked •.</p>
        """)
      html.element("div", ["class": "scroll", "tabindex": "0", "role": "group", "aria-label": "All problems"]) { html in
        html.element("table") { html in
          html.markup(#"<tr><th scope="col">Status</th><th scope="col">Code</th><th scope="col">Any</th></tr>"#)
          for code in Problem.Code.allCases {
            html.element("tr") { html in
              html.element("td", ["class": "number"], String(code.status))
              html.element("td") { html in html.element("code", code.rawValue) }
              html.element("td", Endpoint.commonRefusals.contains(code) ? "•" : "")
            }
          }
        }
      }
    }
  }

  private func writeSchemas(to html: inout HTMLWriter) {
    html.element("section", ["id": "schemas"]) { html in
      html.element("h2", "Shapes")
      for (name, schema) in OpenAPIDocument.schemas(of: endpoints) {
        html.element("div", ["class": "operation", "id": "shape-\(name)"]) { html in
          html.element("h3", name)
          schema.writeMembers(to: &html)
        }
      }
    }
  }
}

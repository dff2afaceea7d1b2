extension Configuration {
  /// The effective values, one `NAME=value` a line with where it came from, secrets masked: `terroir config`.
  package var text: String {
    Self.settings.map { setting in
      guard let value = shown(setting) else { return "# \(setting.name) is not set\n" }
      return "\(setting.name)=\(value)  # \(sources[setting.name] ?? "default")\n"
    }.joined()
  }

  /// All settings as a table in Markdown, for the README: `terroir config --markdown`.
  package static var markdown: String {
    "| Variable | Default | Meaning |\n|---|---|---|\n"
      + settings.map { setting in
        let name = setting.alias.map { "`\(setting.name)` or `\($0)`" } ?? "`\(setting.name)`"
        let fallback = setting.fallback.description == "``" ? "" : setting.fallback.description
        return "| \(name) | \(fallback) | \(setting.meaning) |\n"
      }.joined()
  }

  /// A value that may be shown: URLs show themselves without passwords, other secrets not at all.
  private func shown(_ setting: Setting) -> String? {
    guard let value = setting.show(self), !value.isEmpty else { return nil }
    return setting.isSecret && !setting.name.hasSuffix("_URL") ? SecretText.mask : value
  }
}

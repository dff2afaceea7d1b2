/// One environment variable: its name, default, meaning and form, from which come parsing, `terroir config` and the
/// README's table.
package struct Setting: Sendable {
  /// What holds when a variable is not set.
  package struct Default: Sendable {
    /// Its text in the table of settings.
    package let description: String
    let text: @Sendable (Deployment, Machine) -> String?

    /// The same text everywhere.
    static func text(_ text: String) -> Default { Default(description: "`\(text)`") { _, _ in text } }

    /// Nothing: the setting stays unset.
    static let none = Default(description: "") { _, _ in nil }

    /// One text in development and test, another in staging and production; nil there demands a value.
    static func relaxed(_ relaxed: String, serious: String?) -> Default {
      Default(description: "`\(relaxed)`; \(serious.map { "`\($0)`" } ?? "required") in staging and production") {
        deployment, _ in
        deployment.refusesWeakSecrets ? serious : relaxed
      }
    }
  }

  package let name: String
  /// Another name that is understood when the first is not set.
  package let alias: String?
  /// Whether the value is a secret, which is not shown.
  package let isSecret: Bool
  /// One sentence.
  package let meaning: String
  package let fallback: Default
  let apply: @Sendable (String, inout Configuration) throws(InvalidText) -> Void
  /// The effective value; nil when there is none.
  let show: @Sendable (Configuration) -> String?
}

extension Setting {
  /// A setting that always has a value.
  init<Value: Sendable>(
    _ name: String, _ place: any WritableKeyPath<Configuration, Value> & Sendable, _ form: Form<Value>,
    default: Default, alias: String? = nil, isSecret: Bool = false, _ meaning: String
  ) {
    self.init(
      name: name, alias: alias, isSecret: isSecret, meaning: meaning, fallback: `default`,
      apply: { text, configuration throws(InvalidText) in configuration[keyPath: place] = try form.parse(text) },
      show: { form.show($0[keyPath: place]) })
  }

  /// A setting that may be absent.
  init<Value: Sendable>(
    _ name: String, optional place: any WritableKeyPath<Configuration, Value?> & Sendable, _ form: Form<Value>,
    default: Default = .none, alias: String? = nil, isSecret: Bool = false, _ meaning: String
  ) {
    self.init(
      name: name, alias: alias, isSecret: isSecret, meaning: meaning, fallback: `default`,
      apply: { text, configuration throws(InvalidText) in configuration[keyPath: place] = try form.parse(text) },
      show: { $0[keyPath: place].map(form.show) })
  }
}

/// The rules for names of labels.
public enum LabelName {
  private static let reserved: Set<String> = ["le", "quantile"]

  /// What is wrong with the name of a label, or nil when nothing is.
  public static func fault(in name: String) -> String? {
    if reserved.contains(name) { return "\(name): reserved for buckets and quantiles" }
    return NameCharacters.fault(in: name)
  }
}

import HTTP
import Web

/// The pages for growers, sellers and buyers: the same for everyone, filled by their scripts with what the session may
/// see.
struct GrowerPages: EndpointGroup {
  /// A page as it is, made once.
  private struct Page {
    let name: String
    let path: String
    let summary: String
    let file: WebFile

    /// `place` is its place in the navigation, where that is not its path.
    init(_ name: String, _ path: String, _ title: String, _ summary: String, asset: String, at place: String? = nil) {
      self.name = name
      self.path = path
      self.summary = summary
      file = PageShell.page(
        title: title, at: place ?? path, script: asset, main: Asset.named("\(asset).html").bytes)
    }
  }

  private static let pages = [
    Page("getHomePage", "/", "My gardens", "The page to sign in, and the page of your gardens", asset: "home"),
    Page("getRegistrationPage", "/register", "Register", "The page to register", asset: "register", at: "/"),
    Page(
      "getPasswordResetPage", "/password-reset", "A new password", "The page to choose a new password",
      asset: "password", at: "/"),
    Page("getShopsPage", "/shops", "Shops", "The page that lists shops", asset: "shops"),
    Page("getShopPage", "/shops/{id}", "Shop", "The page of a shop", asset: "shop", at: "/shops"),
    Page("getOrdersPage", "/orders", "Orders", "The page of your orders", asset: "orders"),
    Page(
      "getInvitationPage", "/invitations/{token}", "Invitation", "The page to accept an invitation to a garden",
      asset: "invitation", at: "/"),
    Page("getAccountPage", "/account", "Account", "The page of your account", asset: "account"),
  ]

  var endpoints: [Endpoint] {
    Self.pages.map { page in
      Endpoint(
        page.name, method: .get, template: page.path, access: .open, summary: page.summary, tag: "Pages",
        success: .page,
        handler: .async { call in page.file.response(to: call.request) })
    }
  }
}

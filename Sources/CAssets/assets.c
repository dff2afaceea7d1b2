// Embeds the pages' files. In C, since its compiler can embed a file (#embed, C23) and rebuilds when one changes. In
// Swift they would be array literals (SwiftPM's embedInCode: 11 s to compile) or no longer be files.
#include "CAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char absent_html[] = {
#embed "../Web/Pages/Assets/absent.html"
};

static const unsigned char account_html[] = {
#embed "../Web/Pages/Assets/account.html"
};

static const unsigned char account_js[] = {
#embed "../Web/Pages/Assets/account.js"
};

static const unsigned char channels_js[] = {
#embed "../Web/Pages/Assets/channels.js"
};

static const unsigned char chart_js[] = {
#embed "../Web/Pages/Assets/chart.js"
};

static const unsigned char copy_js[] = {
#embed "../Web/Pages/Assets/copy.js"
};

static const unsigned char csv_js[] = {
#embed "../Web/Pages/Assets/csv.js"
};

static const unsigned char docs_js[] = {
#embed "../Web/Pages/Assets/docs.js"
};

static const unsigned char element_js[] = {
#embed "../Web/Pages/Assets/element.js"
};

static const unsigned char form_js[] = {
#embed "../Web/Pages/Assets/form.js"
};

static const unsigned char garden_html[] = {
#embed "../Web/Pages/Assets/garden.html"
};

static const unsigned char garden_js[] = {
#embed "../Web/Pages/Assets/garden.js"
};

static const unsigned char gardens_html[] = {
#embed "../Web/Pages/Assets/gardens.html"
};

static const unsigned char gardens_js[] = {
#embed "../Web/Pages/Assets/gardens.js"
};

static const unsigned char groups_js[] = {
#embed "../Web/Pages/Assets/groups.js"
};

static const unsigned char history_js[] = {
#embed "../Web/Pages/Assets/history.js"
};

static const unsigned char home_html[] = {
#embed "../Web/Pages/Assets/home.html"
};

static const unsigned char home_js[] = {
#embed "../Web/Pages/Assets/home.js"
};

static const unsigned char icon_svg[] = {
#embed "../Web/Pages/Assets/icon.svg"
};

static const unsigned char insights_js[] = {
#embed "../Web/Pages/Assets/insights.js"
};

static const unsigned char invitation_html[] = {
#embed "../Web/Pages/Assets/invitation.html"
};

static const unsigned char invitation_js[] = {
#embed "../Web/Pages/Assets/invitation.js"
};

static const unsigned char keeping_js[] = {
#embed "../Web/Pages/Assets/keeping.js"
};

static const unsigned char latest_js[] = {
#embed "../Web/Pages/Assets/latest.js"
};

static const unsigned char members_js[] = {
#embed "../Web/Pages/Assets/members.js"
};

static const unsigned char money_js[] = {
#embed "../Web/Pages/Assets/money.js"
};

static const unsigned char orders_html[] = {
#embed "../Web/Pages/Assets/orders.html"
};

static const unsigned char orders_js[] = {
#embed "../Web/Pages/Assets/orders.js"
};

static const unsigned char password_html[] = {
#embed "../Web/Pages/Assets/password.html"
};

static const unsigned char password_js[] = {
#embed "../Web/Pages/Assets/password.js"
};

static const unsigned char probes_js[] = {
#embed "../Web/Pages/Assets/probes.js"
};

static const unsigned char register_html[] = {
#embed "../Web/Pages/Assets/register.html"
};

static const unsigned char register_js[] = {
#embed "../Web/Pages/Assets/register.js"
};

static const unsigned char reveal_js[] = {
#embed "../Web/Pages/Assets/reveal.js"
};

static const unsigned char rounds_js[] = {
#embed "../Web/Pages/Assets/rounds.js"
};

static const unsigned char server_js[] = {
#embed "../Web/Pages/Assets/server.js"
};

static const unsigned char shell_html[] = {
#embed "../Web/Pages/Assets/shell.html"
};

static const unsigned char shop_html[] = {
#embed "../Web/Pages/Assets/shop.html"
};

static const unsigned char shop_js[] = {
#embed "../Web/Pages/Assets/shop.js"
};

static const unsigned char shopkeeping_js[] = {
#embed "../Web/Pages/Assets/shopkeeping.js"
};

static const unsigned char shops_html[] = {
#embed "../Web/Pages/Assets/shops.html"
};

static const unsigned char shops_js[] = {
#embed "../Web/Pages/Assets/shops.js"
};

static const unsigned char snippets_js[] = {
#embed "../Web/Pages/Assets/snippets.js"
};

static const unsigned char status_html[] = {
#embed "../Web/Pages/Assets/status.html"
};

static const unsigned char status_js[] = {
#embed "../Web/Pages/Assets/status.js"
};

static const unsigned char terroir_css[] = {
#embed "../Web/Pages/Assets/terroir.css"
};

static const unsigned char trial_js[] = {
#embed "../Web/Pages/Assets/trial.js"
};

static const unsigned char uptime_js[] = {
#embed "../Web/Pages/Assets/uptime.js"
};

static const unsigned char visitor_js[] = {
#embed "../Web/Pages/Assets/visitor.js"
};

static const unsigned char whole_js[] = {
#embed "../Web/Pages/Assets/whole.js"
};

static const unsigned char words_js[] = {
#embed "../Web/Pages/Assets/words.js"
};

#define ASSET(name, bytes) {name, bytes, sizeof bytes}

static const struct embedded_asset assets[] = {
    ASSET("absent.html", absent_html),
    ASSET("account.html", account_html),
    ASSET("account.js", account_js),
    ASSET("channels.js", channels_js),
    ASSET("chart.js", chart_js),
    ASSET("copy.js", copy_js),
    ASSET("csv.js", csv_js),
    ASSET("docs.js", docs_js),
    ASSET("element.js", element_js),
    ASSET("form.js", form_js),
    ASSET("garden.html", garden_html),
    ASSET("garden.js", garden_js),
    ASSET("gardens.html", gardens_html),
    ASSET("gardens.js", gardens_js),
    ASSET("groups.js", groups_js),
    ASSET("history.js", history_js),
    ASSET("home.html", home_html),
    ASSET("home.js", home_js),
    ASSET("icon.svg", icon_svg),
    ASSET("insights.js", insights_js),
    ASSET("invitation.html", invitation_html),
    ASSET("invitation.js", invitation_js),
    ASSET("keeping.js", keeping_js),
    ASSET("latest.js", latest_js),
    ASSET("members.js", members_js),
    ASSET("money.js", money_js),
    ASSET("orders.html", orders_html),
    ASSET("orders.js", orders_js),
    ASSET("password.html", password_html),
    ASSET("password.js", password_js),
    ASSET("probes.js", probes_js),
    ASSET("register.html", register_html),
    ASSET("register.js", register_js),
    ASSET("reveal.js", reveal_js),
    ASSET("rounds.js", rounds_js),
    ASSET("server.js", server_js),
    ASSET("shell.html", shell_html),
    ASSET("shop.html", shop_html),
    ASSET("shop.js", shop_js),
    ASSET("shopkeeping.js", shopkeeping_js),
    ASSET("shops.html", shops_html),
    ASSET("shops.js", shops_js),
    ASSET("snippets.js", snippets_js),
    ASSET("status.html", status_html),
    ASSET("status.js", status_js),
    ASSET("terroir.css", terroir_css),
    ASSET("trial.js", trial_js),
    ASSET("uptime.js", uptime_js),
    ASSET("visitor.js", visitor_js),
    ASSET("whole.js", whole_js),
    ASSET("words.js", words_js),
};

const struct embedded_asset *const embedded_assets = assets;
const size_t embedded_asset_count = sizeof assets / sizeof *assets;

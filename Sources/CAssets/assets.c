// The pages' files in the binary. In C, since its compiler takes a file in as it is (#embed, C23) and builds again when
// one changes. As Swift they would be array literals (SwiftPM's embedInCode: 11 s to compile) or not be files at all.
#include "CAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char absent_html[] = {
#embed "../Web/Pages/Assets/absent.html"
};

static const unsigned char chart_js[] = {
#embed "../Web/Pages/Assets/chart.js"
};

static const unsigned char docs_js[] = {
#embed "../Web/Pages/Assets/docs.js"
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

static const unsigned char icon_svg[] = {
#embed "../Web/Pages/Assets/icon.svg"
};

static const unsigned char shell_html[] = {
#embed "../Web/Pages/Assets/shell.html"
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

#define ASSET(name, bytes) {name, bytes, sizeof bytes}

static const struct embedded_asset assets[] = {
    ASSET("absent.html", absent_html),
    ASSET("chart.js", chart_js),
    ASSET("docs.js", docs_js),
    ASSET("garden.html", garden_html),
    ASSET("garden.js", garden_js),
    ASSET("gardens.html", gardens_html),
    ASSET("gardens.js", gardens_js),
    ASSET("icon.svg", icon_svg),
    ASSET("shell.html", shell_html),
    ASSET("status.html", status_html),
    ASSET("status.js", status_js),
    ASSET("terroir.css", terroir_css),
};

const struct embedded_asset *const embedded_assets = assets;
const size_t embedded_asset_count = sizeof assets / sizeof *assets;

// In C, since its compiler takes strings from the command line: a release recompiles only this small file.
#include "CRelease.h"

#ifndef TERROIR_VERSION
#define TERROIR_VERSION "0.1.0"
#endif
#ifndef TERROIR_REVISION
#define TERROIR_REVISION "unknown"
#endif

const char *release_version(void) { return TERROIR_VERSION; }
const char *release_revision(void) { return TERROIR_REVISION; }

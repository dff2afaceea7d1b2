#pragma once

/// The version of this build, by Semantic Versioning.
const char *_Nonnull release_version(void);

/// The commit of this build, or "unknown".
const char *_Nonnull release_revision(void);

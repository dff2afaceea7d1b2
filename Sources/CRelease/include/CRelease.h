#pragma once

/// The version that this is a build of, as Semantic Versioning has it.
const char *_Nonnull release_version(void);

/// The commit that this was built from, or "unknown".
const char *_Nonnull release_revision(void);

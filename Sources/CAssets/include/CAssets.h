#pragma once
#include <stddef.h>

/// An embedded file of the pages, as of the build.
struct embedded_asset {
  const char *_Nonnull name;
  const unsigned char *_Nonnull bytes;
  size_t count;
};

/// All files, `embedded_asset_count` of them.
extern const struct embedded_asset *_Nonnull const embedded_assets;
extern const size_t embedded_asset_count;

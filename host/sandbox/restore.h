// Putting bytes back to what they were.
#pragma once

#include <cstddef>

namespace nur {

// Makes `bytes` at `to`, a multiple of 64 that begins at one, what they are at `from`, or zero when
// that is null. Reads everything and writes only the lines that differ: a request writes a few
// lines of a page, and lines that are not written do not have to be written back through the
// caches. Pays when it all does not fit into the first cache; below, copying blindly is faster.
void restore_changed(std::byte* to, const std::byte* from, std::size_t bytes);

}  // namespace nur

// The last look at what a C compiler made of accesses to linear memory, in its assembly.
//
// Linear memory is reached through the segment gs (runtime/guest/nur_memory.h). For addresses that
// it knows and that do not fit into 32 bits gcc has an instruction of its own, movabs, and up to
// version 12 at least it forgets the segment there. Nothing else in an artefact has such an
// address.
#pragma once

#include <string>

namespace nur {

// Gives every movabs from or to memory its segment; whatever has one stays as it is.
std::string with_segments(std::string assembly);

}  // namespace nur

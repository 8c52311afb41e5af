// The segment gs, through which generated code reaches linear memory (nur/abi.h).
//
// The base belongs to the thread: the kernel keeps it across signals and context switches, and
// neither the C library nor this program uses gs. So whoever continues a guest sets it before, and
// nothing has to be put back.
#pragma once

namespace nur {

// Costs a nanosecond when it is there already, some ten when it has to be moved (and some hundred
// where the kernel does not let programs write it themselves: before Linux 5.9).
void point_gs_at(const void* base);

}  // namespace nur

// An artefact that has passed every rule, and has not been loaded: nothing of it is mapped.
//
// The file is read once, into a memory file that nobody can change any more; what is verified, what
// is loaded and what is read later are the same bytes, whatever happens to the path meanwhile. So
// one process can verify, and another one load what it is handed.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/file.h"
#include "base/manifest.h"
#include "base/result.h"

namespace nur {

// What the verifier found, as plain numbers that can be sent along with the file.
struct ArtefactFacts {
  std::uint64_t file_bytes = 0;  // seal included
  // Virtual addresses, relative to the load base (base/elf_rules.h).
  std::uint64_t text_begin = 0;
  std::uint64_t text_end = 0;
  std::uint64_t load_end = 0;
  // The manifest's text in the file.
  std::uint64_t manifest_offset = 0;
  std::uint64_t manifest_bytes = 0;

  bool operator==(const ArtefactFacts&) const = default;
};

struct VerifiedArtefact {
  std::string file_name;  // for messages
  Fd file;                // the sealed memory file
  ArtefactFacts facts;
  Manifest manifest;

  // Whether both are of the same bytes.
  [[nodiscard]] bool is_same_as(const VerifiedArtefact& other) const;

  // Errors: invalid_input, "refused by rule digest: ..." for what the verifier refuses; not_found;
  // limit_exceeded (size); exhausted (memory, descriptors).
  static Result<VerifiedArtefact> read(const Path& path);

  // What another process has read, and said `facts` of. Errors: invalid_input when the file is not
  // sealed or the facts cannot be of it.
  static Result<VerifiedArtefact> adopt(std::string file_name, Fd file, const ArtefactFacts& facts);
};

}  // namespace nur

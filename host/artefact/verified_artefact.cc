#include "host/artefact/verified_artefact.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/artefact_file.h"
#include "base/elf_rules.h"

namespace nur {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

Result<std::string> read_part(int file, std::uint64_t offset, std::uint64_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t got =
        ::pread(file, text.data() + at, text.size() - at, static_cast<off_t>(offset + at));
    if (got <= 0)
      return fail(ErrorKind::internal, "{}", system_error_text("reading a memory file"));
    at += static_cast<std::size_t>(got);
  }
  return text;
}

bool fit(const ArtefactFacts& facts) {
  return facts.file_bytes > kSealBytes && facts.file_bytes <= kArtefactBytesMax &&
         facts.text_begin < facts.text_end && facts.text_end <= facts.load_end &&
         facts.manifest_bytes <= kManifestBytesMax && facts.manifest_bytes <= facts.file_bytes &&
         facts.manifest_offset <= facts.file_bytes - facts.manifest_bytes;
}

}  // namespace

Result<VerifiedArtefact> VerifiedArtefact::read(const Path& path) {
  const std::string bytes = NUR_TRY(read_file(path, kArtefactBytesMax));
  auto verified = verify_elf(bytes, cpu_level_here());
  if (!verified) {
    return fail(ErrorKind::invalid_input, "refused by rule {}: {}",
                to_string(verified.error().rule), verified.error().detail);
  }
  VerifiedArtefact artefact;
  artefact.file_name = path.filename().string();
  artefact.file = NUR_TRY(sealed_memfd(artefact.file_name, bytes));
  artefact.facts = {.file_bytes = bytes.size(),
                    .text_begin = verified->text_begin,
                    .text_end = verified->text_end,
                    .load_end = verified->load_end,
                    .manifest_offset = verified->manifest_offset,
                    .manifest_bytes = verified->manifest_bytes};
  artefact.manifest = std::move(verified->manifest);
  return artefact;
}

bool VerifiedArtefact::is_same_as(const VerifiedArtefact& other) const {
  if (facts != other.facts) return false;
  // The seal has the digest of all that is before it.
  const std::uint64_t seal = facts.file_bytes - kSealBytes;
  const Result<std::string> ours = read_part(file.get(), seal, kSealBytes);
  const Result<std::string> theirs = read_part(other.file.get(), seal, kSealBytes);
  return ours && theirs && *ours == *theirs;
}

Result<VerifiedArtefact> VerifiedArtefact::adopt(std::string file_name, Fd file,
                                                 const ArtefactFacts& facts) {
  struct stat status {};
  if (!fit(facts) || ::fstat(file.get(), &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) != facts.file_bytes) {
    return fail(ErrorKind::invalid_input, "{}: what is said of the file cannot be", file_name);
  }
  if (const int seals = ::fcntl(file.get(), F_GET_SEALS); seals < 0 || (seals & kSeals) != kSeals) {
    return fail(ErrorKind::invalid_input, "{}: the memory file is not sealed", file_name);
  }
  VerifiedArtefact artefact;
  const std::string json =
      NUR_TRY(read_part(file.get(), facts.manifest_offset, facts.manifest_bytes));
  artefact.manifest = NUR_TRY(in_context(manifest_from_json(json), file_name));
  artefact.file_name = std::move(file_name);
  artefact.file = std::move(file);
  artefact.facts = facts;
  return artefact;
}

}  // namespace nur
